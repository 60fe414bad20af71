import { completeWorkspace } from "./completeworkspace.ts";
import type { Command } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { printable, renderTable } from "./cliui/table.ts";
import { findAgent, waitAndDial } from "./dialworkspace.ts";
import { ExitError } from "./errors.ts";
import { connect } from "./session.ts";
import { parseSshTarget } from "./workspaceref.ts";

const count = option(types.int, {
  flag: "num",
  shorthand: "n",
  default: "0",
  description: "How many pings; 0: until interrupted.",
});
const wait = option(types.duration, { flag: "wait", default: "1s", description: "Time between pings." });

export const pingCommand: Command = {
  use: "ping <workspace>",
  complete: completeWorkspace,
  short: "Measure the way to a workspace.",
  options: [count, wait],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const session = await connect(inv);
    const name = inv.args[0] ?? "";
    const found = await findAgent(inv, session, parseSshTarget(name), { autostart: false });
    await using conn = await waitAndDial(inv, session, found, { scripts: "no" });
    const times: number[] = [];
    let sent = 0;
    while (!inv.signal.aborted && (inv.get(count) === 0 || sent < inv.get(count))) {
      sent++;
      try {
        const { latencyMs, via } = await conn.ping();
        times.push(latencyMs);
        inv.stdout.write(`pong from ${printable(name)} ${wayOf(via)} in ${latencyMs.toFixed(2)}ms\n`);
      } catch {
        if (!inv.signal.aborted) inv.stdout.write(`ping to ${JSON.stringify(name)} timed out\n`);
      }
      if (sent !== inv.get(count)) {
        await inv.clock.sleep(inv.get(wait), { signal: inv.signal }).catch(() => {});
      }
    }
    inv.stdout.write(`\n${summary(name, sent, times)}`);
    if (times.length === 0) throw new ExitError(1);
  },
};

const wayOf = (via: string): string => (via.startsWith("DERP(") ? `proxied via ${via}` : `p2p via ${via}`);

interface Row {
  readonly [column: string]: string;
}

function summary(workspace: string, total: number, times: readonly number[]): string {
  const mean = times.reduce((sum, time) => sum + time, 0) / Math.max(times.length, 1);
  const variance = times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / Math.max(times.length, 1);
  const ms = (value: number): string => (times.length === 0 ? "-" : `${value.toFixed(2)}ms`);
  const row: Row = {
    workspace: printable(workspace),
    total: String(total),
    successful: String(times.length),
    min: ms(Math.min(...times)),
    avg: ms(mean),
    max: ms(Math.max(...times)),
    variance: ms(variance),
  };
  const names = Object.keys(row);
  return renderTable(
    [row],
    names.map((name) => ({ name, cell: (one: Row) => one[name] ?? "" })),
    names,
  );
}
