/**
 * `npm run build`: the self-contained programs, `coder` (server, command line, agent) and `coder-slim` (command line, agent),
 * for linux on amd64 and arm64, into `build/`. `docs/install` says what they need; `scripts/release/` how they are made.
 *
 *     npm run build                       all four
 *     npm run build -- --slim --arch amd64 --out DIR
 *                                         one; the server calls it like this for what agents download
 */
import { mkdir, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { archs, ownArch } from "./release/arch.ts";
import { release } from "./release/release.ts";
import { root } from "./run.ts";

const { values } = parseArgs({
  options: {
    arch: { type: "string", multiple: true },
    slim: { type: "boolean" },
    full: { type: "boolean" },
    out: { type: "string", default: join(root, "build") },
    cache: { type: "string", default: join(root, ".coder/cache/release") },
    /** Folder for the unpacked trees. */
    trees: { type: "string" },
    /** Names as under /bin: `coder-linux-amd64` for the slim program. */
    "served-names": { type: "boolean", default: false },
    level: { type: "string", default: "9" },
  },
});

const wanted = values.arch ?? archs.map(({ go }) => go);
const unknown = wanted.find((name) => !archs.some(({ go }) => go === name));
if (unknown !== undefined) throw new Error(`--arch is amd64 or arm64: received ${JSON.stringify(unknown)}`);
const both = !values.slim && !values.full;
const out = resolve(values.out);
await mkdir(out, { recursive: true });
await mkdir(values.cache, { recursive: true });

for (const arch of archs.filter(({ go }) => wanted.includes(go))) {
  for (const slim of [true, false]) {
    if (!both && slim !== (values.slim ?? false)) continue;
    const started = performance.now();
    const name = `${slim && !values["served-names"] ? "coder-slim" : "coder"}-linux-${arch.go}`;
    try {
      const { file, tree } = await release({
        arch,
        slim,
        out,
        trees: resolve(values.trees ?? join(out, "tree")),
        name,
        cache: resolve(values.cache),
        level: Number(values.level),
      });
      const { size } = await stat(file);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(`${file}  ${(size / 1e6).toFixed(1)} MB  ${seconds} s  (unpacked: ${tree})`);
    } catch (error) {
      // What is for other machines may be out of reach; what is for this one may not.
      if (arch === ownArch() || values.arch !== undefined) throw error;
      console.error(`not built: ${name}: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
      await rm(join(out, name), { force: true });
    }
  }
}
