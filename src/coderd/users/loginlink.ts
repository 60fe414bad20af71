/**
 * One-time login links: whoever has one becomes its user, once, for 15 minutes. Only the hash of the secret is kept. Seeing
 * the page does not spend the link, because chat programs and mail scanners look at every link: the button does.
 */
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { User } from "../database/gen/models.gen.ts";
import { Forbidden, Invalid } from "../errors.ts";
import { sha256 } from "../httpmw/authenticate.ts";
import { actors } from "../rbac/actors.ts";
import { type LoginDeps, startSession } from "./login.ts";

const lifetimeMs = 15 * 60_000;
const secretLength = 43;

export interface LoginLinkDeps {
  readonly store: AuthzStore;
  readonly rand: Rand;
  readonly accessUrl: () => string;
}

export interface MadeLink {
  readonly url: string;
  readonly expires_at: Date;
}

/** For oneself, or, by owners, for others. */
export async function createLoginLink(deps: LoginLinkDeps, ctx: Ctx, user: User): Promise<MadeLink> {
  const self = ctx.actor.id === user.id;
  if (!self && !ctx.actor.roles.includes("owner")) {
    throw new Forbidden("Login links for others are made by owners only.");
  }
  if (!ctx.actor.scopes.includes("coder:all")) {
    throw new Forbidden("A token of limited scope cannot make a link that is worth a whole session.");
  }
  if (user.deleted || user.status === "suspended" || user.isSystem) {
    throw new Invalid("This user cannot sign in.");
  }
  const secret = deps.rand.string(secretLength);
  const now = ctx.now();
  const expiresAt = new Date(now.getTime() + lifetimeMs);
  const asSystem = ctx.as(actors.system, "keeps the hash of a login link");
  await deps.store.inTx(asSystem, {}, (tx) =>
    tx.insertLoginLink(asSystem, {
      hashedSecret: sha256(secret),
      userId: user.id,
      createdAt: now,
      expiresAt,
    }),
  );
  return { url: `${deps.accessUrl()}/setup/${secret}`, expires_at: expiresAt };
}

const hasForm = (secret: string): boolean => /^[0-9A-Za-z]{43}$/.test(secret);

/** Whether the link still works; spends nothing. */
export async function isLoginLink(store: AuthzStore, ctx: Ctx, secret: string): Promise<boolean> {
  if (!hasForm(secret)) return false;
  const asSystem = ctx.as(actors.system, "looks at a login link");
  return (await store.getLoginLink(asSystem, { hashedSecret: sha256(secret), now: ctx.now() })) !== undefined;
}

/** A session of the link's user; undefined if the link is used, too old, or none. */
export async function spendLoginLink(
  deps: LoginDeps,
  ctx: Ctx,
  secret: string,
  ip: string,
): Promise<string | undefined> {
  if (!hasForm(secret)) return undefined;
  const asSystem = ctx.as(actors.system, "spends a login link");
  const link = await deps.store.inTx(asSystem, {}, (tx) =>
    tx.spendLoginLink(asSystem, { hashedSecret: sha256(secret), now: ctx.now() }),
  );
  if (link === undefined) return undefined;
  const user = await deps.store.getUserById(asSystem, { id: link.userId });
  if (user.deleted || user.status === "suspended") return undefined;
  return startSession(deps, asSystem, user, ip);
}
