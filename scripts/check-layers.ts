/**
 * Holds every import under src/ and site/src/ against layers.ts: arrows point down; `#` crosses a top-level folder and a relative
 * import never leaves one; programs do not import test folders; no index.ts. Prints each violation; exit status 1 if any.
 */
import { readFileSync } from "node:fs";
import { globSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { type Layer, layers, testFolders } from "../layers.ts";

const root = resolve(import.meta.dirname, "..");
const src = join(root, "src");
const pattern =
  /(?:^|[\s;}])(?:import|export)\b[^"';]*?\bfrom\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']|(?:^|[\s;])import\s*["']([^"']+)["']/g;

export function checkImports(files: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  for (const [file, text] of files) {
    if (/(^|\/)index\.tsx?$/.test(file)) {
      problems.push(`${file}: no index.ts; import the file that holds the thing`);
    }
    const from = layerOf(file);
    if (from === undefined) {
      problems.push(`${file}: its folder has no row in layers.ts`);
      continue;
    }
    const isTest = file.endsWith(".test.ts") || from.testOnly === true || inTestFolder(file);
    for (const match of text.matchAll(pattern)) {
      const target = match[1] ?? match[2] ?? match[3] ?? "";
      const problem = checkOne(file, from, isTest, target);
      if (problem !== undefined) problems.push(`${file}: ${problem}`);
    }
  }
  return problems;
}

function checkOne(file: string, from: Layer, isTest: boolean, target: string): string | undefined {
  const top = file.split("/")[0];
  let path: string;
  if (target.startsWith(".")) {
    path = join(dirname(file), target);
    if (path.startsWith("..") || path.split("/")[0] !== top) {
      return `relative import leaves the folder: ${target}`;
    }
    return !isTest && inTestFolder(path) ? `imports the test folder ${target}` : undefined;
  }
  if (!target.startsWith("#")) {
    if ((from.folder === "codersdk" || from.folder === "site") && target.startsWith("node:") && !isTest) {
      return `${from.folder} runs in browsers: ${target}`;
    }
    return undefined;
  }
  path = target.slice(1);
  if (path.split("/")[0] === top) return `inside one folder imports are relative: ${target}`;
  const to = layerOf(path);
  if (to === undefined) return `imports a folder without a row in layers.ts: ${target}`;
  if (isTest) return undefined;
  if (to.testOnly || inTestFolder(path)) return `imports the test folder ${target}`;
  if (from.only && !from.only.includes(to.folder)) {
    return `${from.folder} may import ${from.only.join(", ")} only: ${target}`;
  }
  if (to.rank < from.rank || from.with?.includes(to.folder)) return undefined;
  return `${from.folder} (rank ${from.rank}) may not import ${to.folder} (rank ${to.rank}): ${target}`;
}

function layerOf(path: string): Layer | undefined {
  let best: Layer | undefined;
  for (const layer of layers) {
    if (path.startsWith(`${layer.folder}/`) && layer.folder.length > (best?.folder.length ?? 0)) best = layer;
  }
  return best;
}

function inTestFolder(path: string): boolean {
  return testFolders.some((folder) => path.startsWith(`${folder}/`));
}

if (import.meta.main) {
  const files = new Map<string, string>();
  for (const path of globSync("**/*.ts", { cwd: src })) {
    if (path.includes("/gen/")) continue;
    files.set(relative(src, join(src, path)), readFileSync(join(src, path), "utf8"));
  }
  const site = join(root, "site/src");
  for (const path of globSync("**/*.{ts,tsx}", { cwd: site })) {
    files.set(`site/${path}`, readFileSync(join(site, path), "utf8"));
  }
  const problems = checkImports(files);
  for (const problem of problems) console.error(problem);
  console.log(`layers: ${files.size} files, ${problems.length} problems`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
