import { contract } from "#codersdk/contract.ts";
import { User } from "#codersdk/users.ts";
import * as w from "#codersdk/wire.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { printable, renderJson } from "../cliui/table.ts";
import { timeDisplay } from "../cliui/times.ts";
import { tableOutput, toJson } from "../output.ts";
import { connect } from "../session.ts";
import { userColumns, usualColumns } from "./output.ts";

const githubId = option(types.int, {
  flag: "github-user-id",
  description: "Only the user of that GitHub account, by its number.",
});
const output = tableOutput<User>(userColumns, usualColumns);

export const listUsers: Command = {
  use: "list",
  aliases: ["ls"],
  short: "List users.",
  options: [githubId, ...output.options],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const { client } = await connect(inv);
    const q = inv.values.isSet(githubId) ? `github_com_user_id:${inv.get(githubId)}` : "";
    const { users } = await client.call(contract.users.list, { query: { q }, signal: inv.signal });
    output.print(inv, users, toJson(w.list(User), users), "No users found.");
  },
};

const format = option(types.oneOf("table", "json"), {
  flag: "output",
  shorthand: "o",
  default: "table",
  description: "Output format.",
});

export const showUserCommand: Command = {
  use: "show <username|user_id|'me'>",
  short: "Show a user.",
  options: [format],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const { client } = await connect(inv);
    const params = { user: inv.args[0] ?? "" };
    const user = await client.call(contract.users.get, { params, signal: inv.signal });
    // Organizations that the caller may not read are left out.
    const found = await Promise.allSettled(
      user.organization_ids.map((organization) =>
        client.call(contract.organizations.get, { params: { organization }, signal: inv.signal }),
      ),
    );
    const names = found.flatMap((one) => (one.status === "fulfilled" ? [one.value.name] : []));
    if (inv.get(format) === "json") {
      inv.stdout.write(renderJson({ ...Object(toJson(User, user)), organization_names: names }));
      return;
    }
    printUser(inv, user, names);
  },
};

function printUser(inv: Invocation, user: User, organizations: readonly string[]): void {
  const roles = user.roles.map((role) => role.display_name || role.name);
  const rows = [
    ["ID", user.id],
    ["Username", user.username],
    ["Full name", user.name ?? ""],
    ["Email", user.email],
    ["Status", user.status],
    ["Created at", timeDisplay(user.created_at)],
    ["Roles", roles.length > 0 ? roles.join(", ") : "(none)"],
    ["Organizations", organizations.join(", ")],
  ] as const;
  for (const [name, value] of rows) {
    inv.stdout.write(`${name.padEnd(15)}${printable(value)}`.trimEnd() + "\n");
  }
}
