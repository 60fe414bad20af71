import { contract } from "#codersdk/contract.ts";
import type { GitSshKey } from "#codersdk/users.ts";
import type { Command } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { connect } from "./session.ts";
import { confirmUnlessYes, yes } from "./transition.ts";

const reset = option(types.bool, {
  flag: "reset",
  description: "Make a new key. The old one stops working wherever it was added.",
});

export const publickeyCommand: Command = {
  use: "publickey",
  aliases: ["pubkey"],
  short: "Show the public half of your Git SSH key.",
  options: [reset, yes],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const { client } = await connect(inv);
    const params = { user: "me" };
    if (inv.get(reset)) {
      await confirmUnlessYes(
        inv,
        "Make a new SSH key for your workspaces? Git hosts must be given the new public key.",
        "no",
      );
    }
    const key: GitSshKey = await client.call(
      inv.get(reset) ? contract.users.regenerateGitSshKey : contract.users.gitSshKey,
      { params, signal: inv.signal },
    );
    inv.stderr.write(
      "This is your public key for Git, in every workspace. Add it to your Git host, such as https://github.com/settings/ssh/new or https://gitlab.com/-/user_settings/ssh_keys.\n\n",
    );
    inv.stdout.write(`${key.public_key.trim()}\n`);
  },
};
