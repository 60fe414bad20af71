/**
 * `npm run vectors -- KIND FILE…`: holds recorded facts against our code and prints `N of N equal`. What a file has
 * beyond what exists here is counted as `K not yet` (exit status 3); a difference is exit status 1.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

export interface VectorResult {
  readonly equal: number;
  readonly of: number;
  readonly notYet: number;
  /** One line a difference; the first ones are printed. */
  readonly failures: readonly string[];
}

/** A kind's module exports `run`. Options such as `--require a,b` are passed on among the arguments. */
export interface VectorKind {
  run(args: readonly string[]): Promise<VectorResult>;
}

const [kind = "", ...args] = process.argv.slice(2);
const module = join(import.meta.dirname, "vectors", `${kind}.ts`);
if (!/^[a-z]+$/.test(kind) || !existsSync(module)) {
  console.error(`no kind is named ${JSON.stringify(kind)}; see scripts/vectors/`);
  process.exitCode = 2;
} else {
  const { run } = (await import(module)) satisfies VectorKind;
  const result = await run(
    args.map((arg) => (arg.startsWith("-") ? arg : resolve(process.env["INIT_CWD"] ?? ".", arg))),
  );
  for (const line of result.failures.slice(0, 40)) console.log(line);
  if (result.failures.length > 40) console.log(`… and ${result.failures.length - 40} more`);
  const rest = result.notYet > 0 ? `, ${result.notYet} not yet` : "";
  console.log(`${result.equal} of ${result.of} equal${rest}`);
  process.exitCode = result.equal < result.of ? 1 : result.notYet > 0 ? 3 : 0;
}
