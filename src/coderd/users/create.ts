/** Makes users for others, in the order of checks that clients rely on. */
import type { CreateUser } from "#codersdk/users.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { User } from "../database/gen/models.gen.ts";
import { Conflict, Forbidden, Invalid, invalidField, NotFound } from "../errors.ts";
import { actors } from "../rbac/actors.ts";
import { can } from "../rbac/subject.ts";
import { checkRoleChange } from "../rolecheck/rolecheck.ts";
import type { PasswordHasher } from "../userpassword/hash.ts";
import { passwordProblem } from "../userpassword/policy.ts";
import { insertUser } from "./insert.ts";

export interface CreateUserDeps {
  readonly store: AuthzStore;
  readonly rand: Rand;
  readonly hasher: PasswordHasher;
  readonly passwordAuth: boolean;
  readonly oidcConfigured: boolean;
}

export interface CreatedUser {
  readonly user: User;
  readonly organizationIds: readonly string[];
}

export async function createUser(deps: CreateUserDeps, ctx: Ctx, body: CreateUser): Promise<CreatedUser> {
  if (!can(ctx.actor, "create", { type: "user" })) {
    throw new Forbidden("You are not authorized to create users.");
  }
  const loginType = checkLogin(deps, body);
  if (body.organization_ids.length === 0) {
    throw new Invalid("A new user must be placed in at least one organization.", {
      detail: "organization_ids holds no value",
      validations: [{ field: "organization_ids", detail: "Missing values, this cannot be empty" }],
    });
  }
  await refuseTaken(deps, ctx, body);
  const organizationIds = await organizationsOf(deps, ctx, body.organization_ids);
  if (loginType === "password") {
    const problem = passwordProblem(body.password ?? "");
    if (problem !== undefined) throw invalidField("Password is invalid", "password", problem);
  }
  const roles = body.roles ?? [];
  checkRoleChange(ctx.actor, { organizationId: undefined, stored: [], wanted: roles });
  const hashed = loginType === "password" ? await deps.hasher.hash(body.password ?? "") : "";
  const user = await deps.store.inTx(ctx, {}, (tx) =>
    insertUser(ctx, tx, {
      id: deps.rand.uuid(),
      email: body.email,
      username: body.username,
      name: body.name ?? "",
      status: body.user_status ?? "dormant",
      loginType,
      rbacRoles: roles,
      hashedPassword: Buffer.from(hashed),
      isServiceAccount: body.service_account ?? false,
      organizationIds,
    }),
  );
  return { user, organizationIds };
}

function checkLogin(deps: CreateUserDeps, body: CreateUser): "password" | "github" | "oidc" | "none" {
  const service = body.service_account === true;
  const loginType = body.login_type ?? (service ? "none" : "password");
  if (service && loginType !== "none") {
    throw invalidField("A service account has no way to sign in.", "login_type", "must be none");
  }
  if (service && body.email !== "") {
    throw invalidField("A service account has no e-mail.", "email", "must be empty");
  }
  if (body.password !== undefined && (service || loginType !== "password")) {
    throw new Invalid(
      `Password cannot be set for non-password (${JSON.stringify(loginType)}) authentication.`,
    );
  }
  switch (loginType) {
    case "password":
      if (!deps.passwordAuth) throw new Forbidden("Password authentication is disabled.");
      return loginType;
    case "oidc":
      if (!deps.oidcConfigured) throw new Invalid("OpenID Connect is not configured on this server.");
      return loginType;
    case "github":
    case "none":
      return loginType;
    case "token":
    case "oauth2_provider_app":
      throw invalidField("Nobody signs in this way.", "login_type", `${loginType} is for keys only`);
  }
}

async function refuseTaken({ store }: CreateUserDeps, ctx: Ctx, body: CreateUser): Promise<void> {
  const asSystem = ctx.as(actors.system, "looks whether a name is taken");
  try {
    await store.getUserByEmailOrUsername(asSystem, { email: body.email, username: body.username });
  } catch (error) {
    if (error instanceof NotFound) return;
    throw error;
  }
  throw new Conflict("User already exists.");
}

async function organizationsOf(
  { store }: CreateUserDeps,
  ctx: Ctx,
  ids: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  for (const id of new Set(ids)) {
    const organization =
      id === zeroUuid
        ? await store.getDefaultOrganization(ctx, {})
        : await store.getOrganizationById(ctx, { id });
    if (organization.deleted) throw new NotFound();
    checkRoleChange(ctx.actor, { organizationId: organization.id, stored: [], wanted: [] });
    found.push(organization.id);
  }
  return found;
}
