import { contract } from "#codersdk/contract.ts";
import type { Command } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { printable } from "../cliui/table.ts";
import { UserError } from "../errors.ts";
import { connect } from "../session.ts";
import { confirmUnlessYes, yes } from "../transition.ts";

const roles = option(types.strings, {
  flag: "roles",
  description: "The user's site roles from now on, separated by commas. Replaces the ones he has.",
});

export const editRoles: Command = {
  use: "edit-roles <username|user_id>",
  short: "Set the site roles of a user.",
  options: [yes, roles],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const { client } = await connect(inv);
    const user = await client.call(contract.users.get, {
      params: { user: inv.args[0] ?? "" },
      signal: inv.signal,
    });
    const params = { user: user.id };
    const [known, has] = await Promise.all([
      client.call(contract.users.siteRoles, { signal: inv.signal }),
      client.call(contract.users.roles, { params, signal: inv.signal }),
    ]);
    const names = known.map((role) => role.name);
    if (!inv.values.isSet(roles)) {
      throw new UserError(
        `give the roles with --roles: ${printable(user.username)} has [${has.roles.join(" ")}] of [${names.join(" ")}]`,
      );
    }
    const wanted = [...inv.get(roles)];
    const unknown = wanted.filter((name) => !names.includes(name));
    if (unknown.length > 0) {
      throw new UserError(
        `the role(s) ${unknown.map((name) => JSON.stringify(name)).join(", ")} are not site roles; there are ${names.join(", ")}`,
      );
    }
    if (inv.stdin.isTTY) {
      await confirmUnlessYes(
        inv,
        `Give ${printable(user.username)} the roles [${wanted.join(" ")}] in place of [${has.roles.join(" ")}]?`,
      );
    }
    await client.call(contract.users.updateRoles, { params, body: { roles: wanted }, signal: inv.signal });
  },
};
