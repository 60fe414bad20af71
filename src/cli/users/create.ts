import { contract } from "#codersdk/contract.ts";
import type { LoginType } from "#codersdk/users.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { askText } from "../cliui/prompt.ts";
import { printable } from "../cliui/table.ts";
import { UserError } from "../errors.ts";
import { orgOption, pickOrganization } from "../organization.ts";
import { connect } from "../session.ts";

const email = option(types.string, { flag: "email", shorthand: "e", description: "E-mail address." });
const username = option(types.string, { flag: "username", shorthand: "u", description: "User name." });
const fullName = option(types.string, { flag: "full-name", shorthand: "n", description: "Full name." });
const password = option(types.string, {
  flag: "password",
  shorthand: "p",
  secret: true,
  description: "Password. Default: a random one, shown once.",
});
const disableLogin = option(types.bool, {
  flag: "disable-login",
  hidden: true,
  description: "The user cannot sign in: --login-type none.",
});
const loginType = option(types.string, {
  flag: "login-type",
  description: "How the user signs in: password, github, oidc or none. Default: password.",
});
const serviceAccount = option(types.bool, {
  flag: "service-account",
  description: "Make an account for programs: no e-mail address, no sign-in, tokens only.",
});

const loginTypes = ["password", "github", "oidc", "none"] as const satisfies readonly LoginType[];

function wantedLogin(inv: Invocation): (typeof loginTypes)[number] {
  const text = inv.get(loginType);
  if (inv.get(disableLogin) || inv.get(serviceAccount)) {
    if (text !== "" && text !== "none") {
      throw new UserError("--disable-login and --service-account go with --login-type none only");
    }
    return "none";
  }
  if (text === "") return "password";
  const found = loginTypes.find((one) => one === text);
  if (!found) {
    throw new UserError(
      `invalid login type ${JSON.stringify(text)}, should be one of [${loginTypes.join(" ")}]`,
    );
  }
  return found;
}

const signs = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!@#$%^&*-_=+";

function randomPassword(inv: Invocation): string {
  return Array.from({ length: 20 }, () => signs[inv.rand.int(signs.length)] ?? "").join("");
}

export const createUser: Command = {
  use: "create",
  short: "Make a user.",
  options: [email, username, fullName, password, disableLogin, loginType, serviceAccount, orgOption],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const { client } = await connect(inv);
    const login = wantedLogin(inv);
    const service = inv.get(serviceAccount);
    if (service && inv.get(email) !== "") throw new UserError("a service account has no e-mail address");
    if (login !== "password" && inv.get(password) !== "") {
      throw new UserError(`a user who signs in by ${login} has no password`);
    }
    const organization = await pickOrganization(inv, client);
    const name = inv.get(username) || (await askText(inv, { text: "Username:" }));
    const address = service ? "" : inv.get(email) || (await askText(inv, { text: "Email:" }));
    const made = login === "password" && inv.get(password) === "" ? randomPassword(inv) : undefined;
    const user = await client.call(contract.users.create, {
      body: {
        email: address,
        username: name,
        name: inv.get(fullName) || undefined,
        password: login === "password" ? (made ?? inv.get(password)) : undefined,
        login_type: login,
        organization_ids: [organization.id],
        service_account: service || undefined,
      },
      signal: inv.signal,
    });
    inv.stderr.write(`A new user has been created!\n\n  ${printable(user.username)}\n`);
    if (made !== undefined) {
      inv.stderr.write(`\nPassword (shown once; to be changed after the first sign-in): ${made}\n`);
    }
    if (login !== "none") inv.stderr.write(`\nSign in with: coder login ${client.url}\n`);
  },
};
