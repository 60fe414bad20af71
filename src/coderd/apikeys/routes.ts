/** Routes of keys and tokens. */
import { apikeys } from "#codersdk/apikeys.ts";
import { audit } from "../audit/audit.ts";
import { makeKey } from "../apikey/apikey.ts";
import { prebuildsUserId } from "../database/dbauthz/kinds.ts";
import { toApiKey } from "../database/db2sdk/users.ts";
import { Forbidden, NotFound } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { resolveUser } from "../httpmw/params.ts";
import { requestableScopes } from "../rbac/scopes.ts";
import { createToken, type CreateTokenDeps, maxLifetimeMs } from "./create.ts";

export type ApiKeysDeps = CreateTokenDeps;

export function routes(deps: ApiKeysDeps): BoundRoute[] {
  return [...reads(deps), ...writes(deps)];
}

function reads({ store, times }: ApiKeysDeps): BoundRoute[] {
  return [
    bind(apikeys.scopes, () => ({ external: requestableScopes })),
    bind(apikeys.get, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      return toApiKey(await ownKey(store, ctx, user.id, req.params.keyid));
    }),
    bind(apikeys.token, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      return toApiKey(await store.getKeyByName(ctx, { userId: user.id, tokenName: req.params.keyname }));
    }),
    bind(apikeys.tokens, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      const { include_all: all, include_expired: includeExpired } = req.query();
      const rows = await store.getTokens(ctx, {
        userId: all ? undefined : user.id,
        includeExpired,
        now: ctx.now(),
      });
      return rows.map(({ k, ownerName }) => ({ ...toApiKey(k), username: ownerName }));
    }),
    bind(apikeys.tokenConfig, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      return { max_token_lifetime: maxLifetimeMs(times, user) * 1e6 };
    }),
  ];
}

function writes(deps: ApiKeysDeps): BoundRoute[] {
  const { store, rand, times } = deps;
  return [
    bind(apikeys.createKey, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      if (user.id === prebuildsUserId) throw new Forbidden("System users have no keys.");
      const { token, row } = makeKey(rand, {
        userId: user.id,
        loginType: "password",
        lifetimeMs: times.defaultTokenMs,
        now: ctx.now(),
        ip: req.ip,
      });
      await store.inTx(ctx, {}, async (tx) => {
        const key = await tx.insertApiKey(ctx, row);
        await audit(tx, ctx, { action: "create", type: "api_key", after: key, statusCode: 201 });
      });
      return { key: token };
    }),
    bind(apikeys.createToken, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      return { key: await createToken(deps, ctx, user, req.body(), req.ip) };
    }),
    bind(apikeys.delete, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      const key = await ownKey(store, ctx, user.id, req.params.keyid);
      await store.inTx(ctx, {}, async (tx) => {
        await tx.deleteApiKeyById(ctx, { id: key.id });
        await audit(tx, ctx, { action: "delete", type: "api_key", before: key, statusCode: 204 });
      });
      return undefined;
    }),
    bind(apikeys.expire, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      const key = await ownKey(store, ctx, user.id, req.params.keyid);
      await store.inTx(ctx, {}, async (tx) => {
        const now = ctx.now();
        await tx.expireKey(ctx, { id: key.id, now });
        const expiresAt = key.expiresAt < now ? key.expiresAt : now;
        const after = { ...key, expiresAt };
        await audit(tx, ctx, { action: "write", type: "api_key", before: key, after, statusCode: 204 });
      });
      return undefined;
    }),
  ];
}

/** The key, if it is that user's: the path says whose it must be. */
async function ownKey(
  store: ApiKeysDeps["store"],
  ctx: Parameters<ApiKeysDeps["store"]["getApiKeyById"]>[0],
  userId: string,
  id: string,
) {
  const key = await store.getApiKeyById(ctx, { id });
  if (key.userId !== userId) throw new NotFound();
  return key;
}
