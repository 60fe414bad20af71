/**
 * `npm test [-- FILE…]`: all tests in one process, or the named files. `--test-isolation=none` runs 150 files in a
 * second where a process for each takes most of a minute, and shows leaked handles, which isolation hides.
 */
import { globSync } from "node:fs";
import { node, root } from "./run.ts";

const named = process.argv.slice(2);
const all = (): string[] =>
  globSync(["src/**/*.test.ts", "site/**/*.test.ts", "scripts/**/*.test.ts"], { cwd: root }).toSorted();
const files = named.length > 0 ? named : all();
process.exitCode = await node(["--test", "--test-isolation=none", "--test-reporter=spec", ...files]);
