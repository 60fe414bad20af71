import { contract } from "#codersdk/contract.ts";
import type { Command } from "#serpent/command.ts";
import { UserError } from "./errors.ts";
import { connect } from "./session.ts";
import { confirmUnlessYes, yes } from "./transition.ts";

export const logoutCommand: Command = {
  use: "logout",
  short: "Sign out and forget the session.",
  options: [yes],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const { client, config } = await connect(inv);
    await confirmUnlessYes(inv, "Are you sure you want to log out?");
    const problems: string[] = [];
    const attempt = async (step: Promise<unknown>): Promise<void> => {
      try {
        await step;
      } catch (error) {
        problems.push(error instanceof Error ? error.message : String(error));
      }
    };
    await attempt(client.call(contract.users.logout, { signal: inv.signal }));
    for (const file of ["url", "session", "organization"] as const) await attempt(config.remove(file));
    if (problems.length > 0) {
      throw new UserError(`Failed to log out.\n${problems.map((text) => `\t${text}`).join("\n")}`);
    }
    inv.stdout.write("You are no longer logged in. You can log in using 'coder login <url>'.\n");
  },
};
