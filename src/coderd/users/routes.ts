/** Routes of people: first user, sign-in, accounts. */
import { users } from "#codersdk/users.ts";
import { usersettings } from "#codersdk/usersettings.ts";
import { audit } from "../audit/audit.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { toGitSshKey, toUser } from "../database/db2sdk/users.ts";
import { Forbidden, Invalid } from "../errors.ts";
import { newKeyPair } from "../gitsshkey/gitsshkey.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { reply } from "../httpapi/reply.ts";
import { clearSessionCookie, type CookieOptions, setSessionCookie } from "../httpmw/cookies.ts";
import { resolveUser } from "../httpmw/params.ts";
import { actors } from "../rbac/actors.ts";
import { passwordProblem } from "../userpassword/policy.ts";
import {
  type ChangeDeps,
  deleteUser,
  setStatus,
  updatePassword,
  updateProfile,
  updateRoles,
} from "./change.ts";
import { createUser, type CreateUserDeps } from "./create.ts";
import { checkSetup, createFirstUser, type FirstUserDeps, hasFirstUser } from "./firstuser.ts";
import { listUsers } from "./list.ts";
import { login, type LoginDeps } from "./login.ts";
import { createLoginLink, type LoginLinkDeps } from "./loginlink.ts";
import { getAppearance, getPreferences, setAppearance, setPreferences } from "./settings.ts";
import { rolesOfUser, siteRolesFor } from "./roles.ts";

export interface UsersDeps extends FirstUserDeps, LoginDeps, LoginLinkDeps, CreateUserDeps, ChangeDeps {
  readonly store: AuthzStore;
  readonly cookies: CookieOptions;
}

export function routes(deps: UsersDeps): BoundRoute[] {
  return [...signIn(deps), ...accounts(deps), ...changes(deps), ...sshKeys(deps), ...ownSettings(deps)];
}

function signIn(deps: UsersDeps): BoundRoute[] {
  return [
    bind(users.hasFirstUser, (ctx) => hasFirstUser(deps, ctx)),
    bind(users.createFirstUser, (ctx, req) => {
      const secret = req.headers["coder-setup-secret"];
      checkSetup(deps, req.ip, typeof secret === "string" ? secret : "");
      return createFirstUser(deps, ctx, req.body());
    }),
    bind(users.authMethods, () => ({
      password: { enabled: deps.passwordAuth },
      github: { enabled: false, default_provider_configured: false },
      oidc: { enabled: deps.oidcConfigured, signInText: "OpenID Connect", iconUrl: "" },
    })),
    bind(users.login, async (ctx, req) => {
      const { token } = await login(deps, ctx, { ...req.body(), ip: req.ip });
      return reply(201, { session_token: token }, { cookies: [setSessionCookie(token, deps.cookies)] });
    }),
    bind(users.logout, async (ctx, req) => {
      const { key } = req.caller;
      const asSystem = ctx.as(actors.system, "ends the caller's own session");
      await deps.store.inTx(asSystem, {}, async (tx) => {
        await tx.deleteApiKeyById(asSystem, { id: key.id });
        await tx.deleteAppKeysOfUser(asSystem, { userId: key.userId });
        await audit(tx, ctx, { action: "logout", type: "api_key", before: key });
      });
      return reply(200, { message: "Logged out!" }, { cookies: [clearSessionCookie(deps.cookies)] });
    }),
    bind(users.validatePassword, (_ctx, req) => {
      const problem = passwordProblem(req.body().password);
      return { valid: problem === undefined, details: problem ?? "" };
    }),
  ];
}

function accounts(deps: UsersDeps): BoundRoute[] {
  const { store } = deps;
  return [
    bind(users.list, (ctx, req) => listUsers(store, ctx, req.query())),
    bind(users.create, async (ctx, req) => {
      const created = await createUser(deps, ctx, req.body());
      return toUser(created.user, created.organizationIds);
    }),
    bind(users.siteRoles, (ctx) => siteRolesFor(ctx.actor)),
    bind(users.get, async (ctx, req) => {
      const { user, organizationIds } = await resolveUser(ctx, store, req.caller, req.params.user);
      return toUser(user, organizationIds);
    }),
    bind(users.roles, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      return rolesOfUser(store, ctx, user);
    }),
    bind(users.createLoginLink, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      return createLoginLink(deps, ctx, user);
    }),
    bind(users.loginType, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      if (user.id !== ctx.actor.id) throw new Forbidden("Everybody sees only his own way to sign in.");
      return { login_type: user.loginType };
    }),
  ];
}

function changes(deps: UsersDeps): BoundRoute[] {
  const { store } = deps;
  return [
    bind(users.delete, async (ctx, req) => {
      await deleteUser(deps, ctx, await resolveUser(ctx, store, req.caller, req.params.user));
      return { message: "User has been deleted!" };
    }),
    bind(users.updateProfile, async (ctx, req) => {
      const found = await resolveUser(ctx, store, req.caller, req.params.user);
      return toUser(await updateProfile(deps, ctx, found, req.body()), found.organizationIds);
    }),
    bind(users.updatePassword, async (ctx, req) => {
      const found = await resolveUser(ctx, store, req.caller, req.params.user);
      await updatePassword(deps, ctx, found, req.body());
      return undefined;
    }),
    bind(users.suspend, async (ctx, req) => {
      const found = await resolveUser(ctx, store, req.caller, req.params.user);
      return toUser(await setStatus(deps, ctx, found, "suspended"), found.organizationIds);
    }),
    bind(users.activate, async (ctx, req) => {
      const found = await resolveUser(ctx, store, req.caller, req.params.user);
      return toUser(await setStatus(deps, ctx, found, "active"), found.organizationIds);
    }),
    bind(users.updateRoles, async (ctx, req) => {
      const found = await resolveUser(ctx, store, req.caller, req.params.user);
      if (found.user.id === ctx.actor.id) throw new Invalid("You cannot change your own roles.");
      return toUser(await updateRoles(deps, ctx, found, req.body().roles), found.organizationIds);
    }),
  ];
}

function sshKeys({ store }: UsersDeps): BoundRoute[] {
  return [
    bind(users.gitSshKey, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      return toGitSshKey(await store.getGitSshKey(ctx, { userId: user.id }));
    }),
    bind(users.regenerateGitSshKey, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      return store.inTx(ctx, {}, async (tx) => {
        const before = await tx.getGitSshKey(ctx, { userId: user.id });
        const after = await tx.upsertGitSshKey(ctx, { userId: user.id, now: ctx.now(), ...newKeyPair() });
        await audit(tx, ctx, { action: "write", type: "git_ssh_key", before, after });
        return toGitSshKey(after);
      });
    }),
  ];
}

function ownSettings({ store }: UsersDeps): BoundRoute[] {
  return [
    bind(usersettings.appearance, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      return await getAppearance(store, ctx, user.id);
    }),
    bind(usersettings.updateAppearance, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      return await setAppearance(store, ctx, user.id, req.body());
    }),
    bind(usersettings.preferences, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      return await getPreferences(store, ctx, user.id);
    }),
    bind(usersettings.updatePreferences, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      return await setPreferences(store, ctx, user.id, req.body());
    }),
  ];
}
