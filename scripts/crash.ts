/**
 * `npm run crash -- [--rounds N] [--seed S] [--only KIND,…]`: kills a running deployment of real processes with -9 at
 * random points, N rounds, and checks after each that nothing acknowledged is lost. The seed decides what is killed and
 * when, as far as real processes repeat themselves. Exit status 1 when something was lost.
 */
import { parseArgs } from "node:util";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { runCrash } from "./crash/harness.ts";
import { strikeKinds } from "./crash/strike.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seed: { type: "string", default: String(cryptoRand.int(1_000_000)) },
    only: { type: "string", default: "" },
  },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  throw new Error(`--rounds takes a number: received ${JSON.stringify(values.rounds)}`);
}
const wanted = values.only === "" ? [] : values.only.split(",");
const kinds = strikeKinds.filter((kind) => wanted.length === 0 || wanted.includes(kind));
const unknown = wanted.filter((kind) => !strikeKinds.some((known) => known === kind));
if (unknown.length > 0) {
  throw new Error(`--only takes ${strikeKinds.join(", ")}: received ${unknown.join(", ")}`);
}

console.log(`seed ${values.seed}, ${rounds} rounds`);
const result = await runCrash({ rounds, seed: values.seed, kinds, say: (line) => console.log(line) });
const times = result.resumed.toSorted((a, b) => a - b);
const at = (part: number): string => ((times[Math.floor((times.length - 1) * part)] ?? 0) / 1000).toFixed(2);
console.log(`${result.builds} builds, ${result.logLines} log lines acknowledged or shown`);
console.log(`open sessions went on after /healthz: median ${at(0.5)} s, worst ${at(1)} s`);
for (const violation of result.violations) console.error(`VIOLATION ${violation}`);
if (result.violations.length > 0) process.exitCode = 1;
