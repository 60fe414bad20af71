/**
 * `npm run vectors -- transcripts DIR [--require a,b]`: sends all recorded steps of a directory in order to a fresh server
 * of this clone and compares the answers. Differences that we intend stand in transcripts.exceptions with their reasons.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { VectorResult } from "../vectors.ts";
import { readExceptions, unexcused } from "./transcripts/exceptions.ts";
import { startTarget } from "./transcripts/target.ts";
import { type Outcome, Replay } from "./transcripts/replay.ts";
import { readSteps, type Step } from "./transcripts/steps.ts";

interface Tally {
  equal: number;
  of: number;
  notYet: number;
}

export async function run(args: readonly string[]): Promise<VectorResult> {
  const at = args.findIndex((arg) => arg === "--require" || arg.startsWith("--require="));
  const named = at < 0 ? "" : (args[at]?.split("=")[1] ?? args[at + 1]?.split("/").at(-1) ?? "");
  const paths = args.filter(
    (arg, n) => !arg.startsWith("-") && (n !== at + 1 || args[at]?.includes("=") === true || at < 0),
  );
  const required = named.split(",").filter((area) => area !== "");
  return replay(readSteps(paths), required, recordedPaths(paths));
}

/** Routes of the stock server, to tell a missing route from a parameter of another one. */
function recordedPaths(paths: readonly string[]): string[] {
  const [first = "."] = paths;
  const dir = existsSync(first) && statSync(first).isDirectory() ? first : dirname(first);
  const file = [join(dir, "../api.json"), join(process.env["CODER_REFERENCE_DIR"] ?? dir, "api.json")].find(
    (path) => existsSync(path),
  );
  if (file === undefined) return [];
  const { routes }: { routes: { path: string }[] } = JSON.parse(readFileSync(file, "utf8"));
  return routes.map(({ path }) => path);
}

async function replay(
  steps: readonly Step[],
  required: readonly string[],
  recorded: readonly string[],
): Promise<VectorResult> {
  const exceptions = readExceptions();
  const tallies = new Map<string, Tally>();
  const failures: string[] = [];
  await using target = await startTarget();
  const replaying = new Replay(target, recorded);
  for (const step of steps) {
    const outcome = await outcomeOf(replaying, step);
    if (outcome.kind === "uncounted") continue;
    const tally = tallies.get(step.area) ?? { equal: 0, of: 0, notYet: 0 };
    tallies.set(step.area, tally);
    if (outcome.kind === "notYet") {
      tally.notYet++;
      continue;
    }
    tally.of++;
    const why = outcome.kind === "different" ? unexcused(exceptions, step, outcome.why) : [];
    if (why.length === 0) tally.equal++;
    else failures.push(`${step.n} ${step.area}: ${step.case ?? ""}: ${why.slice(0, 3).join("; ")}`);
  }
  let sum: Tally = { equal: 0, of: 0, notYet: 0 };
  for (const [area, { equal, of, notYet }] of Array.from(tallies).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    console.log(`${area}: ${equal} of ${of} equal${notYet > 0 ? `, ${notYet} not yet` : ""}`);
    sum = { equal: sum.equal + equal, of: sum.of + of, notYet: sum.notYet + notYet };
  }
  for (const area of required) {
    const tally = tallies.get(area);
    if (tally === undefined || tally.equal < tally.of || tally.notYet > 0) {
      failures.unshift(`required: ${area} is not equal`);
    }
  }
  return { ...sum, failures };
}

async function outcomeOf(replaying: Replay, step: Step): Promise<Outcome> {
  try {
    return await replaying.run(step);
  } catch (error) {
    return {
      kind: "different",
      why: [`the replay failed: ${error instanceof Error ? error.message : String(error)}`],
    };
  }
}
