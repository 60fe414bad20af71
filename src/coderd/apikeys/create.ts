/** Makes API tokens: lifetime, scopes, allow list and name as the caller may have them. */
import type { CreateToken } from "#codersdk/apikeys.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import { audit } from "../audit/audit.ts";
import { makeKey, type SessionTimes } from "../apikey/apikey.ts";
import type { Ctx } from "../ctx.ts";
import { isCheckViolation, isUniqueViolation } from "../database/errors.ts";
import { prebuildsUserId } from "../database/dbauthz/kinds.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { User } from "../database/gen/models.gen.ts";
import { Conflict, Forbidden, Invalid, NotFound } from "../errors.ts";
import { normalizeAllow, parseAllowEntry, requestableScopes, scopeAliases } from "../rbac/scopes.ts";

const msPerNs = 1e-6;
const maxAllowEntries = 128;

export interface CreateTokenDeps {
  readonly store: AuthzStore;
  readonly rand: Rand;
  readonly times: SessionTimes;
}

/** The longest lifetime that a user's tokens may have, in milliseconds. */
export function maxLifetimeMs(times: SessionTimes, user: Pick<User, "rbacRoles">): number {
  return user.rbacRoles.includes("owner") ? times.maxAdminTokenMs : times.maxTokenMs;
}

function lifetimeOf(times: SessionTimes, user: User, askedNs: number): number {
  const fail = (detail: string): Invalid =>
    new Invalid("Failed to validate create API key request.", { detail });
  const max = maxLifetimeMs(times, user);
  if (askedNs === 0) return Math.min(times.defaultTokenMs, max);
  const ms = askedNs * msPerNs;
  if (ms <= 0) throw fail(`the lifetime must be above zero: received ${askedNs} ns`);
  if (ms > max) {
    throw fail(`the lifetime must be at most ${max / 3_600_000} hours: received ${ms / 3_600_000}`);
  }
  return ms;
}

function scopesOf(body: CreateToken): string[] {
  const asked = body.scopes ?? (body.scope === undefined ? [] : [body.scope]);
  if (asked.length === 0) return ["coder:all"];
  return Array.from(
    new Set(
      asked.map((name) => {
        const scope = scopeAliases[name] ?? name;
        if (!requestableScopes.includes(scope)) {
          throw new Invalid("Failed to create API key.", {
            detail: `invalid or unsupported API key scope: ${JSON.stringify(name)}`,
          });
        }
        return scope;
      }),
    ),
  );
}

function allowListOf(body: CreateToken): string[] {
  const asked = body.allow_list ?? [];
  if (asked.length === 0) return ["*:*"];
  if (asked.length > maxAllowEntries) {
    throw new Invalid("Failed to create API key.", {
      detail: `allow_list must have at most ${maxAllowEntries} entries: received ${asked.length}`,
    });
  }
  try {
    return normalizeAllow(asked.map(parseAllowEntry)).map(({ type, id }) => `${type}:${id}`);
  } catch (error) {
    throw new Invalid("Failed to create API key.", { detail: error instanceof Error ? error.message : "" });
  }
}

const adjectives = ["brisk", "calm", "deft", "eager", "fair", "glad", "keen", "lively", "quiet", "swift"];
const nouns = ["badger", "comet", "dune", "ember", "fjord", "heron", "lichen", "otter", "pine", "tern"];

/** Two words and a digit. */
function randomName(rand: Rand): string {
  const pick = (words: readonly string[]): string => words[rand.int(words.length)] ?? "";
  return `${pick(adjectives)}_${pick(nouns)}${rand.int(10)}`;
}

/** The token, told once. Throws `Conflict` for a name that the user has already given. */
export async function createToken(
  deps: CreateTokenDeps,
  ctx: Ctx,
  user: User,
  body: CreateToken,
  ip: string,
): Promise<string> {
  if (user.id === prebuildsUserId) throw new Forbidden("System users have no keys.");
  const lifetimeMs = lifetimeOf(deps.times, user, body.lifetime);
  const scopes = scopesOf(body);
  const allowList = allowListOf(body);
  // A generated name that is taken is drawn again, so no caller ever sees that conflict.
  for (let attempt = 0; ; attempt++) {
    const generated = body.token_name === "";
    const suffix = attempt === 0 ? "" : deps.rand.string(4);
    const tokenName = generated ? randomName(deps.rand) + suffix : body.token_name;
    const { token, row } = makeKey(deps.rand, {
      userId: user.id,
      loginType: "token",
      lifetimeMs,
      now: ctx.now(),
      ip,
      tokenName,
      scopes,
      allowList,
    });
    try {
      await deps.store.inTx(ctx, {}, async (tx) => {
        const key = await tx.insertApiKey(ctx, row);
        await audit(tx, ctx, { action: "create", type: "api_key", after: key, statusCode: 201 });
      });
      return token;
    } catch (error) {
      if (isCheckViolation(error, "credentials_need_living_user")) throw new NotFound();
      if (!isUniqueViolation(error)) throw error;
      if (generated && attempt < 5) continue;
      throw new Conflict(`A token with name ${JSON.stringify(tokenName)} already exists.`, {
        validations: [{ field: "name", detail: "This value is already in use and should be unique." }],
        cause: error,
      });
    }
  }
}
