/** The tree of commands of the program without a server. */
import type { Command } from "#serpent/command.ts";
import { program } from "./commands.ts";
import { UserError } from "./errors.ts";

const absent = (use: string, short: string): Command => ({
  use,
  short,
  async handler() {
    throw new UserError(
      `this is the slim program, which has no "${use}": take the full one (npm run build makes both; the server's /install.sh says where it is)`,
    );
  },
});

export const slimRoot = program({
  more: [absent("provisioner", "Run builds for a server."), absent("server", "Start a server.")],
  slim: true,
});
