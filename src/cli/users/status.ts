import { contract } from "#codersdk/contract.ts";
import type { Command } from "#serpent/command.ts";
import { UserError } from "../errors.ts";
import { confirm } from "../cliui/prompt.ts";
import { printable } from "../cliui/table.ts";
import { connect } from "../session.ts";
import { changeColumn, showUser } from "./output.ts";

interface Change {
  readonly verb: "suspend" | "activate";
  readonly aliases?: readonly string[];
  readonly short: string;
  readonly from: readonly string[];
  readonly done: string;
}

function statusCommand({ verb, aliases, short, from, done }: Change): Command {
  return {
    use: `${verb} <username|user_id>`,
    ...(aliases === undefined ? {} : { aliases }),
    short,
    options: [changeColumn],
    args: { min: 1, max: 1 },
    async handler(inv) {
      const { client } = await connect(inv);
      const user = await client.call(contract.users.get, {
        params: { user: inv.args[0] ?? "" },
        signal: inv.signal,
      });
      if (!from.includes(user.status)) {
        throw new UserError(`user ${JSON.stringify(printable(user.username))} is already ${user.status}`);
      }
      showUser(inv, user);
      await confirm(inv, `Are you sure you want to ${verb} this user?`);
      await client.call(verb === "suspend" ? contract.users.suspend : contract.users.activate, {
        params: { user: user.id },
        signal: inv.signal,
      });
      inv.stdout.write(`\nUser ${JSON.stringify(printable(user.username))} has been ${done}!\n`);
    },
  };
}

export const suspendUser = statusCommand({
  verb: "suspend",
  short: "Suspend a user: no sign-in, no requests, no connections.",
  from: ["active", "dormant"],
  done: "suspended",
});
export const activateUser = statusCommand({
  verb: "activate",
  aliases: ["active"],
  short: "Activate a suspended user.",
  from: ["suspended", "dormant"],
  done: "activated",
});

export const deleteUser: Command = {
  use: "delete <username|user_id>",
  aliases: ["rm"],
  short: "Delete a user. His workspaces must be deleted before.",
  args: { min: 1, max: 1 },
  async handler(inv) {
    const { client } = await connect(inv);
    const user = await client.call(contract.users.get, {
      params: { user: inv.args[0] ?? "" },
      signal: inv.signal,
    });
    await client.call(contract.users.delete, { params: { user: user.id }, signal: inv.signal });
    inv.stderr.write(`Successfully deleted ${printable(user.username)}.\n`);
  },
};
