/**
 * Whether `terraform init` has anything to do for a template. Where it has nothing, plans work without it (the provider
 * is attached, the others are part of Terraform), and a build saves the tenth of a second that it takes.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Block } from "#preview/hcl/ast.ts";
import { parseFile } from "#preview/hcl/parser.ts";

/** Blocks that name no provider and no module. */
const harmless = new Set(["variable", "output", "locals"]);

/** Providers that need no download: ours, and the one inside of Terraform. */
const present = new Set(["coder", "terraform"]);

function providerOf(type: string): string {
  return type.split("_", 1)[0] ?? "";
}

function settingsNeedInit({ body }: Block): boolean {
  return body.blocks.some(({ type, body: inner }) => {
    if (type !== "required_providers") return true;
    return [...inner.attributes].some(([name, { value }]) => {
      if (!present.has(name)) return true;
      const source = value.source.text.slice(value.start, value.end);
      // Another source under our name is another provider.
      return name !== "coder" || !/source\s*[=:]\s*"(?:registry\.terraform\.io\/)?coder\/coder"/.test(source);
    });
  });
}

function blockNeedsInit(block: Block): boolean {
  const { type, labels, body } = block;
  if (harmless.has(type)) return false;
  if (type === "terraform") return settingsNeedInit(block);
  if (type === "provider") return !present.has(labels[0] ?? "");
  if (type === "resource" || type === "data") {
    return !present.has(providerOf(labels[0] ?? "")) || body.attributes.has("provider");
  }
  return true;
}

/** True also for what cannot be read here: Terraform says best what is wrong with it. */
export async function needsInit(dir: string): Promise<boolean> {
  const names = await readdir(dir);
  if (names.some((name) => name.endsWith(".tf.json") || name === ".terraform")) return true;
  let coder = false;
  for (const name of names.filter((one) => one.endsWith(".tf") && !one.startsWith("."))) {
    const { body } = parseFile(name, await readFile(join(dir, name), "utf8"));
    if (!body || body.blocks.some(blockNeedsInit)) return true;
    coder ||= body.blocks.some(
      ({ type, body: inner }) =>
        type === "terraform" && inner.blocks.some((block) => block.body.attributes.has("coder")),
    );
  }
  // Without required_providers the name coder means another provider; without files there is nothing to plan.
  return !coder;
}
