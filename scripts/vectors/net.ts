/**
 * `npm run vectors -- net FILE…`: recorded network bytes and state machines against production code. One item of the
 * file = one unit. Each kind has a checker; a kind without one counts as not yet.
 */
import { readFileSync } from "node:fs";
import type { VectorResult } from "../vectors.ts";
import type { Checker, Vector } from "./net/checker.ts";
import { coordinatorCheckers } from "./net/coordinator.ts";
import { derpCheckers } from "./net/derp.ts";
import { drpcCheckers } from "./net/drpc.ts";
import { keyCheckers } from "./net/keys.ts";
import { packetCheckers } from "./net/packets.ts";
import { ptyCheckers } from "./net/pty.ts";
import { wgCheckers } from "./net/wg.ts";
import { yamuxCheckers } from "./net/yamux.ts";

const checkers: Readonly<Record<string, Checker>> = {
  ...yamuxCheckers,
  ...drpcCheckers,
  ...keyCheckers,
  ...wgCheckers,
  ...packetCheckers,
  ...derpCheckers,
  ...ptyCheckers,
  ...coordinatorCheckers,
};

export async function run(args: readonly string[]): Promise<VectorResult> {
  let equal = 0;
  let of = 0;
  let notYet = 0;
  const failures: string[] = [];
  for (const file of args.filter((arg) => !arg.startsWith("-"))) {
    const { vectors } = JSON.parse(readFileSync(file, "utf8")) satisfies { vectors: readonly Vector[] };
    for (const vector of vectors) {
      const checker = checkers[vector.kind];
      if (!checker) {
        notYet++;
        continue;
      }
      of++;
      const difference = await check(checker, vector);
      if (difference === undefined) equal++;
      else failures.push(`${vector.kind} "${vector.name}": ${difference}`);
    }
  }
  return { equal, of, notYet, failures };
}

async function check(checker: Checker, vector: Vector): Promise<string | undefined> {
  try {
    await checker(vector);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 600) : String(error);
  }
}
