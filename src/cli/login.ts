import { userInfo } from "node:os";
import { type Client, ClientError } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { type AnyOption, option, type Source } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { askText } from "./cliui/prompt.ts";
import { printable } from "./cliui/table.ts";
import { UserError } from "./errors.ts";
import { openLink } from "./open/browser.ts";
import { globals } from "./globals.ts";
import { clientFor, openConfig } from "./session.ts";

const firstUser = {
  username: option(types.string, {
    flag: "first-user-username",
    env: "CODER_FIRST_USER_USERNAME",
    description: "Name of the first user, where there is none yet.",
  }),
  fullName: option(types.string, {
    flag: "first-user-full-name",
    env: "CODER_FIRST_USER_FULL_NAME",
    description: "Full name of the first user.",
  }),
  email: option(types.string, {
    flag: "first-user-email",
    env: "CODER_FIRST_USER_EMAIL",
    description: "E-mail address of the first user.",
  }),
  password: option(types.string, {
    flag: "first-user-password",
    env: "CODER_FIRST_USER_PASSWORD",
    secret: true,
    description: "Password of the first user.",
  }),
  trial: option(types.bool, {
    flag: "first-user-trial",
    env: "CODER_FIRST_USER_TRIAL",
    hidden: true,
    description: "Accepted for compatibility: everything is free.",
  }),
} as const;
const useTokenAsSession = option(types.bool, {
  flag: "use-token-as-session",
  description: "Store the given token itself instead of a new one made with it.",
});

const tokenCommand: Command = {
  use: "token",
  short: "Print the stored session token.",
  args: { min: 0, max: 0 },
  async handler(inv) {
    const token = await openConfig(inv).read("session");
    if (!token) throw new UserError("no session token found - run 'coder login' first");
    inv.stdout.write(`${token}\n`);
  },
};

export const loginCommand: Command = {
  use: "login [url]",
  short: "Sign in to a deployment.",
  options: [...Object.values<AnyOption>(firstUser), useTokenAsSession],
  args: { min: 0, max: 1 },
  children: [tokenCommand],
  async handler(inv) {
    const config = openConfig(inv);
    const { url, source } = await pickUrl(inv);
    const { client: anonymous } = await clientFor(inv, url, undefined);
    const exists = await hasFirstUser(anonymous, url);
    inv.stderr.write(`Attempting to authenticate with ${source} URL: '${url}'\n`);
    const token = exists ? await pickToken(inv, anonymous, url) : await createFirstUser(inv, anonymous);
    const me = await anonymous
      .withToken(token)
      .call(contract.users.get, { params: { user: "me" }, signal: inv.signal });
    await config.write("session", token);
    await config.write("url", url);
    inv.stdout.write(`Welcome to Coder, ${printable(me.username)}! You're authenticated.\n`);
    if (!exists) inv.stdout.write("Get started by creating a template: coder templates init\n");
  },
};

async function pickUrl(inv: Invocation): Promise<{ url: string; source: string }> {
  const words: Readonly<Record<Source, string>> = {
    "": "config",
    flag: "flag",
    env: "environment",
    yaml: "config",
    default: "config",
  };
  const [argument] = inv.args;
  const given = argument ?? inv.get(globals.url);
  const text = given || (await openConfig(inv).read("url"));
  if (!text) throw new UserError("no URL was given: coder login <url>");
  const local = /^(localhost|127\.|\[::1\])/.test(text);
  const url = /^https?:\/\//.test(text) ? text : `${local ? "http" : "https"}://${text}`;
  const source = argument === undefined ? words[inv.values.source(globals.url)] : "argument";
  return { url: url.replace(/\/+$/, ""), source };
}

async function hasFirstUser(client: Client, url: string): Promise<boolean> {
  try {
    await client.call(contract.users.hasFirstUser);
    return true;
  } catch (error) {
    if (error instanceof ClientError && error.status === 404 && error.headers.has("X-Coder-Build-Version")) {
      return false;
    }
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(
      `Failed to check server ${JSON.stringify(url)} for first user, is the URL correct and is coder accessible from your browser? (${why})`,
    );
  }
}

async function createFirstUser(inv: Invocation, client: Client): Promise<string> {
  inv.stderr.write("  Your Coder deployment hasn't been set up!\n");
  const given = inv.get(firstUser.username);
  if (given === "" && !inv.stdin.isTTY) {
    throw new UserError(
      "the first user cannot be asked for without a terminal; give --first-user-username, --first-user-email and --first-user-password",
    );
  }
  const username =
    given || (await askText(inv, { text: "What username would you like?", default: userInfo().username }));
  const name = inv.get(firstUser.fullName);
  const email = inv.get(firstUser.email) || (await askText(inv, { text: "What's your email?" }));
  const password = inv.get(firstUser.password) || (await askPassword(inv));
  await client.call(contract.users.createFirstUser, {
    body: {
      email,
      username,
      name: name || undefined,
      password,
    },
    signal: inv.signal,
  });
  const { session_token } = await client.call(contract.users.login, {
    body: { email, password },
    signal: inv.signal,
  });
  return session_token;
}

async function askPassword(inv: Invocation): Promise<string> {
  for (;;) {
    const password = await askText(inv, { text: "Enter a password:", secret: true });
    if ((await askText(inv, { text: "Confirm password:", secret: true })) === password) return password;
    inv.stderr.write("The passwords differ.\n");
  }
}

async function pickToken(inv: Invocation, client: Client, url: string): Promise<string> {
  const given = inv.get(globals.token);
  const fromEnv = inv.values.source(globals.token) === "env";
  if (given !== "" && inv.get(useTokenAsSession)) return given;
  if (fromEnv) {
    throw new UserError(
      "CODER_SESSION_TOKEN is set. This environment variable takes precedence over a stored session.\n\nTo log in, unset it:\n\n\tunset CODER_SESSION_TOKEN",
    );
  }
  if (given !== "") {
    const { key } = await client
      .withToken(given)
      .call(contract.apikeys.createKey, { params: { user: "me" }, signal: inv.signal });
    return key;
  }
  const page = `${url}/cli-auth`;
  const opened = await openLink(inv, page);
  inv.stderr.write(
    opened
      ? `Your browser has been opened to visit:\n\n\t${page}\n\n`
      : `Open the following in your browser:\n\n\t${page}\n\n`,
  );
  const validate = (text: string): void => {
    if (!/^[0-9A-Za-z]{10}-[0-9A-Za-z]{22}$/.test(text.trim())) throw new Error("That is not a valid token!");
  };
  return (await askText(inv, { text: "Paste your token here:", secret: true, validate })).trim();
}
