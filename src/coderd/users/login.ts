/** Sign-in by password, and sign-out. */
import type { Rand } from "#cryptorand/cryptorand.ts";
import { audit } from "../audit/audit.ts";
import { makeKey, type SessionTimes } from "../apikey/apikey.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { User } from "../database/gen/models.gen.ts";
import { ApiError, Forbidden, NotFound, Unauthorized } from "../errors.ts";
import { actors } from "../rbac/actors.ts";
import type { PasswordHasher } from "../userpassword/hash.ts";

export interface LoginDeps {
  readonly store: AuthzStore;
  readonly rand: Rand;
  readonly hasher: PasswordHasher;
  readonly times: SessionTimes;
  readonly passwordAuth: boolean;
}

/** The user of that e-mail and password; throws what sign-in answers, and tells the audit log of tries on an account. */
export async function checkPassword(
  deps: LoginDeps,
  ctx: Ctx,
  given: { readonly email: string; readonly password: string },
): Promise<User> {
  const user = await findByEmail(deps, ctx, given.email);
  try {
    return await verify(deps, user, given);
  } catch (error) {
    if (user !== undefined && error instanceof ApiError) {
      const { status: statusCode } = error;
      await audit(deps.store, ctx, {
        action: "login",
        type: "user",
        before: user,
        userId: user.id,
        statusCode,
      });
    }
    throw error;
  }
}

async function verify(
  deps: LoginDeps,
  user: User | undefined,
  given: { readonly password: string },
): Promise<User> {
  const matches = await deps.hasher.matches(user?.hashedPassword.toString() ?? "", given.password);
  if (user === undefined || !matches) throw new Unauthorized("Incorrect email or password.");
  if (!deps.passwordAuth) throw new Forbidden("Password authentication is disabled.");
  if (user.loginType !== "password") {
    throw new Forbidden(
      `Incorrect login type, attempting to use "password" but user is of login type "${user.loginType}"`,
    );
  }
  if (user.status === "suspended") {
    throw new Unauthorized("Your account is suspended. Contact an admin to reactivate your account.");
  }
  return user;
}

async function findByEmail(deps: LoginDeps, ctx: Ctx, email: string): Promise<User | undefined> {
  try {
    return await deps.store.getUserByEmailOrUsername(ctx, { email, username: "" });
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}

/** A new session; the token is told once. */
export async function login(
  deps: LoginDeps,
  ctx: Ctx,
  given: { readonly email: string; readonly password: string; readonly ip: string },
): Promise<{ readonly user: User; readonly token: string }> {
  const asSystem = ctx.as(actors.system, "signs in");
  const user = await checkPassword(deps, asSystem, given);
  const token = await startSession(deps, asSystem, user, given.ip);
  return { user, token };
}

/** A session of that user, whoever made sure that it is him. Wakes a dormant user. */
export async function startSession(deps: LoginDeps, ctx: Ctx, user: User, ip: string): Promise<string> {
  const now = ctx.now();
  const { token, row } = makeKey(deps.rand, {
    userId: user.id,
    loginType: user.loginType,
    lifetimeMs: deps.times.sessionMs,
    now,
    ip,
  });
  await deps.store.inTx(ctx, {}, async (tx) => {
    if (user.status === "dormant") {
      await tx.updateUserStatus(ctx, { id: user.id, status: "active", updatedAt: now, lastSeenAt: now });
    }
    const key = await tx.insertApiKey(ctx, row);
    await audit(tx, ctx, { action: "login", type: "api_key", after: key, userId: user.id, statusCode: 201 });
  });
  return token;
}
