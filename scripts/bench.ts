/** `npm run bench -- NAME [ARG…]`: runs bench/NAME.ts, which prints a table; never a gate. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { node, root } from "./run.ts";

const [name = "", ...args] = process.argv.slice(2);
const file = join(root, "bench", `${name}.ts`);
if (!/^[a-z0-9-]+$/.test(name) || !existsSync(file)) {
  const known = readdirSync(join(root, "bench")).filter((entry) => entry.endsWith(".ts"));
  console.error(
    `no benchmark is named ${JSON.stringify(name)}; there are ${known.map((entry) => entry.slice(0, -3)).join(", ")}`,
  );
  process.exitCode = 2;
} else {
  process.exitCode = await node([file, ...args]);
}
