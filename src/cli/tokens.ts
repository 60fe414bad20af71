import { contract } from "#codersdk/contract.ts";
import { ApiKeyWithOwner } from "#codersdk/apikeys.ts";
import type { Client } from "#codersdk/client.ts";
import * as w from "#codersdk/wire.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { formatDuration } from "#util/duration.ts";
import { timeDisplay } from "./cliui/times.ts";
import { UserError } from "./errors.ts";
import { tableOutput, toJson } from "./output.ts";
import { connect } from "./session.ts";

const columns = [
  { name: "id", cell: (key: ApiKeyWithOwner) => key.id },
  { name: "name", cell: (key: ApiKeyWithOwner) => key.token_name },
  { name: "scopes", cell: (key: ApiKeyWithOwner) => `[${key.scopes.join(" ")}]` },
  { name: "allow list", cell: (key: ApiKeyWithOwner) => `[${key.allow_list.join(" ")}]` },
  { name: "last used", cell: (key: ApiKeyWithOwner) => timeDisplay(key.last_used) },
  { name: "expires at", cell: (key: ApiKeyWithOwner) => timeDisplay(key.expires_at) },
  { name: "created at", cell: (key: ApiKeyWithOwner) => timeDisplay(key.created_at) },
  { name: "owner", cell: (key: ApiKeyWithOwner) => key.username },
];
const shown = columns.map(({ name }) => name).filter((name) => name !== "owner");
const listOutput = tableOutput(columns, shown);

const name = option(types.string, {
  flag: "name",
  shorthand: "n",
  env: "CODER_TOKEN_NAME",
  description: "Name of the token.",
});
const user = option(types.string, {
  flag: "user",
  shorthand: "u",
  env: "CODER_TOKEN_USER",
  description: "Whom the token is for. Default: you.",
});
const lifetime = option(types.string, {
  flag: "lifetime",
  env: "CODER_TOKEN_LIFETIME",
  description: "How long the token lives, such as 30d. Default: as long as you may.",
});
const scopes = option(types.strings, {
  flag: "scope",
  description: "What the token may do at most. Can be given several times.",
});
const allow = option(types.strings, {
  flag: "allow",
  description: "What the token may touch, as type:id. Can be given several times.",
});
const all = option(types.bool, {
  flag: "all",
  shorthand: "a",
  description: "Show everybody's tokens that you may see.",
});
const includeExpired = option(types.bool, {
  flag: "include-expired",
  description: "Show expired tokens too.",
});
const deleteToken = option(types.bool, {
  flag: "delete",
  description: "Delete the token instead of letting it expire.",
});

const create: Command = {
  use: "create",
  short: "Make a token.",
  options: [name, user, lifetime, scopes, allow],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const { client } = await connect(inv);
    const params = { user: inv.get(user) || "me" };
    const max = (await client.call(contract.apikeys.tokenConfig, { params, signal: inv.signal }))
      .max_token_lifetime;
    const wanted = inv.get(lifetime) === "" ? max : Math.round(parseLifetime(inv.get(lifetime)) * 1e6);
    if (wanted > max) {
      throw new UserError(
        `lifetime (${formatDuration(wanted / 1e6)}) is greater than the maximum allowed lifetime (${formatDuration(max / 1e6)})`,
      );
    }
    const { key } = await client.call(contract.apikeys.createToken, {
      params,
      body: {
        lifetime: wanted,
        scope: undefined,
        scopes: inv.get(scopes).length > 0 ? inv.get(scopes) : undefined,
        token_name: inv.get(name),
        allow_list: inv.get(allow).length > 0 ? inv.get(allow) : undefined,
      },
      signal: inv.signal,
    });
    inv.stdout.write(`${key}\n`);
  },
};

const yearMs = 365 * 86_400_000;

/** Milliseconds. Days and years too, concatenated: `1y30d12h`. */
export function parseLifetime(text: string): number {
  const years = /^(-?)(\d+)y/.exec(text);
  if (!years) return types.duration.parse(text, undefined);
  const rest = text.slice(years[0].length);
  const ms = Number(years[2]) * yearMs + (rest === "" ? 0 : types.duration.parse(rest, undefined));
  return years[1] === "-" ? -ms : ms;
}

const list: Command = {
  use: "list",
  aliases: ["ls"],
  short: "List tokens.",
  options: [all, includeExpired, ...listOutput.options],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const { client } = await connect(inv);
    const query = { include_all: inv.get(all), include_expired: inv.get(includeExpired) };
    const keys = await client.call(contract.apikeys.tokens, {
      params: { user: "me" },
      query,
      signal: inv.signal,
    });
    listOutput.print(
      inv,
      keys,
      toJson(w.list(ApiKeyWithOwner), keys),
      "No tokens found. Make one with: coder tokens create",
    );
  },
};

const view: Command = {
  use: "view <name|id>",
  short: "Show a token.",
  options: listOutput.options,
  args: { min: 1, max: 1 },
  async handler(inv) {
    const { client } = await connect(inv);
    const key = await findToken(inv, client, inv.args[0] ?? "");
    listOutput.print(inv, [key], toJson(ApiKeyWithOwner, key), "");
  },
};

const remove: Command = {
  use: "remove <name|id|token>",
  aliases: ["rm", "delete"],
  short: "Let a token expire, or delete it.",
  options: [deleteToken],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const { client } = await connect(inv);
    const key = await findToken(inv, client, inv.args[0] ?? "");
    const params = { user: key.user_id, keyid: key.id };
    if (inv.get(deleteToken)) {
      await client.call(contract.apikeys.delete, { params, signal: inv.signal });
      inv.stderr.write("Token has been deleted.\n");
    } else {
      await client.call(contract.apikeys.expire, { params, signal: inv.signal });
      inv.stderr.write("Token has been expired.\n");
    }
  },
};

/** By id, by name, or by the whole token, whose secret half is cut off here. */
async function findToken(inv: Invocation, client: Client, text: string): Promise<ApiKeyWithOwner> {
  const id = /^([0-9A-Za-z]{10})-[0-9A-Za-z]{22}$/.exec(text)?.[1] ?? text;
  const query = { include_all: false, include_expired: true };
  const keys = await client.call(contract.apikeys.tokens, {
    params: { user: "me" },
    query,
    signal: inv.signal,
  });
  const found = keys.find((key) => key.id === id) ?? keys.find((key) => key.token_name === id);
  if (!found) throw new UserError("no token has that name or id");
  return found;
}

export const tokensCommand: Command = {
  use: "tokens",
  aliases: ["token"],
  short: "Manage API tokens.",
  long: "Tokens let programs use the API as you.\n\n  - Make a token for a script:\n\n       $ coder tokens create --name backup --lifetime 30d",
  children: [create, list, remove, view],
};
