/**
 * `npm run ok`: the whole gate, cheapest step first: format, lint, types, layers, generated files current, tests.
 * `npm run ok -- STEP…` runs the named steps; `npm run format` rewrites. Prints how long each took; fails at the first.
 */
import { node } from "./run.ts";

type Step = () => Promise<number>;

const bin = (name: string): string => `node_modules/.bin/${name}`;

const steps: Record<string, Step> = {
  format: () =>
    node([bin("oxfmt"), ...(process.env["npm_lifecycle_event"] === "format" ? [] : ["--check"]), "."]),
  lint: () => node([bin("oxlint"), "--type-aware", "--deny-warnings"]),
  types: async () => (await node([bin("tsc"), "-p", "."])) || (await node([bin("tsc"), "-p", "site/src"])),
  layers: () => node(["scripts/check-layers.ts"]),
  gen: () => node(["scripts/gen.ts", "--check"]),
  test: () => node(["scripts/test.ts"]),
};

const named = process.argv.slice(2);
for (const name of named.length > 0 ? named : Object.keys(steps)) {
  const step = steps[name];
  if (!step) {
    throw new Error(`no step is named ${JSON.stringify(name)}; there are ${Object.keys(steps).join(", ")}`);
  }
  const start = performance.now();
  const status = await step();
  console.error(
    `${status === 0 ? "ok  " : "FAIL"} ${name} ${((performance.now() - start) / 1000).toFixed(1)} s`,
  );
  if (status !== 0) {
    process.exitCode = status;
    break;
  }
}
