import { contract } from "#codersdk/contract.ts";
import type { Command } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { timeDisplay } from "./cliui/times.ts";
import { connect } from "./session.ts";

const user = option(types.string, {
  flag: "user",
  shorthand: "u",
  description: "Whom the link signs in. Default: you.",
});

export const loginLinkCommand: Command = {
  use: "login-link",
  short: "Make a link that signs you in once, in a browser.",
  options: [user],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const { client } = await connect(inv);
    const params = { user: inv.get(user) || "me" };
    const link = await client.call(contract.users.createLoginLink, { params, signal: inv.signal });
    inv.stderr.write(`Works once, until ${timeDisplay(link.expires_at)}:\n`);
    inv.stdout.write(`${link.url}\n`);
  },
};
