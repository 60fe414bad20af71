/** `coder connect`: what ssh configurations ask of Coder Connect, the system-wide tunnel of the desktop program. */
import { lookup } from "node:dns/promises";
import type { Command } from "#serpent/command.ts";
import { ExitError } from "./errors.ts";

/** Addresses inside tailnets, fd60:627a:a42b::/48. */
const tunnelPrefix = "fd60:627a:a42b:";

/** How long a resolver may take: every ssh to a name with the suffix waits for this. */
const timeoutMs = 2_000;

const exists: Command = {
  use: "exists <hostname>",
  short: "End with 0 if Coder Connect serves that host name, else with 1.",
  args: { min: 1, max: 1 },
  async handler(inv) {
    const stop = AbortSignal.any([inv.signal, AbortSignal.timeout(timeoutMs)]);
    const late = new Promise<never>((_, reject) => stop.addEventListener("abort", () => reject(stop.reason)));
    const found = await Promise.race([lookup(inv.args[0] ?? "", { family: 6, all: true }), late]).catch(
      () => [],
    );
    if (!found.some(({ address }) => address.toLowerCase().startsWith(tunnelPrefix))) throw new ExitError(1);
  },
};

export const connectCommand: Command = {
  use: "connect",
  hidden: true,
  short: "Ask about Coder Connect.",
  children: [exists],
};
