/** `npm run gen`: writes every generated file; `--check` fails when one is not current; names run only those. */
import { genProto } from "./gen-proto.ts";
import { genApi } from "./gen-api.ts";
import { genDocs } from "./gen-docs.ts";
import { genSql } from "./gen-sql.ts";
import type { GenOptions } from "./generated.ts";

const generators: Record<string, (options: GenOptions) => Promise<string[]>> = {
  proto: genProto,
  sql: genSql,
  docs: genDocs,
  api: genApi,
};

const args = process.argv.slice(2);
const check = args.includes("--check");
const named = args.filter((arg) => !arg.startsWith("--"));
for (const name of named.length > 0 ? named : Object.keys(generators)) {
  const generate = generators[name];
  if (!generate) {
    throw new Error(
      `no generator is named ${JSON.stringify(name)}; there are ${Object.keys(generators).join(", ")}`,
    );
  }
  const changed = await generate({ check });
  for (const path of changed) console.log(`${check ? "not current" : "written"}: ${path}`);
  if (check && changed.length > 0) {
    console.error("Run `npm run gen` and commit the result.");
    process.exitCode = 1;
  }
}
