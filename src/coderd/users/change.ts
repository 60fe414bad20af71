/** Changes of one account: profile, password, status, roles, deletion. */
import type { Infer } from "#codersdk/wire.ts";
import type { UpdatePassword, UpdateProfile } from "#codersdk/users.ts";
import { audit } from "../audit/audit.ts";
import type { Ctx } from "../ctx.ts";
import { isUniqueViolation } from "../database/errors.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { user as userKind } from "../database/dbauthz/kinds.ts";
import type { User } from "../database/gen/models.gen.ts";
import { ApiError, Conflict, Forbidden, Invalid, invalidField, NotFound } from "../errors.ts";
import type { ResolvedUser } from "../httpmw/params.ts";
import { actors } from "../rbac/actors.ts";
import { can } from "../rbac/subject.ts";
import { checkRoleChange, outranks } from "../rolecheck/rolecheck.ts";
import type { PasswordHasher } from "../userpassword/hash.ts";
import { passwordProblem } from "../userpassword/policy.ts";

export interface ChangeDeps {
  readonly store: AuthzStore;
  readonly hasher: PasswordHasher;
}

export async function updateProfile(
  { store }: ChangeDeps,
  ctx: Ctx,
  { user }: ResolvedUser,
  wanted: Infer<typeof UpdateProfile>,
): Promise<User> {
  // Members change their real name only.
  const renames = wanted.username !== user.username;
  if (renames && !can(ctx.actor, "update", userKind.of(user))) throw new NotFound();
  try {
    return await store.inTx(ctx, {}, async (tx) => {
      const changed = await tx.updateUserProfile(ctx, {
        id: user.id,
        username: wanted.username,
        name: wanted.name,
        updatedAt: ctx.now(),
      });
      await audit(tx, ctx, { action: "write", type: "user", before: user, after: changed });
      return changed;
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new Conflict("A user with this name exists.", {
      validations: [{ field: "username", detail: "This username is already in use." }],
      cause: error,
    });
  }
}

export async function updatePassword(
  { store, hasher }: ChangeDeps,
  ctx: Ctx,
  { user }: ResolvedUser,
  wanted: Infer<typeof UpdatePassword>,
): Promise<void> {
  if (!can(ctx.actor, "update_personal", userKind.of(user))) throw new NotFound();
  const self = ctx.actor.id === user.id;
  if (!self && !outranks(ctx.actor, user.rbacRoles)) {
    throw new Invalid("Only owners can change the password of an owner.");
  }
  if (user.loginType !== "password") {
    throw new Invalid("Only users who sign in with a password have one to change.");
  }
  const problem = passwordProblem(wanted.password);
  if (problem !== undefined) throw invalidField("Invalid password.", "password", problem);
  const stored = user.hashedPassword.toString();
  if (self && !(await hasher.matches(stored, wanted.old_password ?? ""))) {
    throw invalidField("Old password is incorrect.", "old_password", "Old password is incorrect.");
  }
  if (await hasher.matches(stored, wanted.password)) {
    throw new Invalid("New password cannot match old password.");
  }
  const hashed = await hasher.hash(wanted.password);
  await store.inTx(ctx, {}, async (tx) => {
    const changed = { ...user, hashedPassword: Buffer.from(hashed), updatedAt: ctx.now() };
    await tx.updateUserHashedPassword(ctx, changed);
    await audit(tx, ctx, { action: "write", type: "user", before: user, after: changed, statusCode: 204 });
    const asSystem = ctx.as(actors.system, "a new password ends all sessions");
    await tx.deleteKeysOfUser(asSystem, { userId: user.id });
  });
}

export async function setStatus(
  { store }: ChangeDeps,
  ctx: Ctx,
  { user }: ResolvedUser,
  status: "active" | "suspended",
): Promise<User> {
  if (status === "suspended") {
    if (user.id === ctx.actor.id) throw new Invalid("You cannot suspend yourself.");
    if (user.rbacRoles.includes("owner")) {
      throw new Invalid('You cannot suspend a user with the "owner" role. You must remove the role first.');
    }
  }
  if (
    user.id !== ctx.actor.id &&
    can(ctx.actor, "update", userKind.of(user)) &&
    !outranks(ctx.actor, user.rbacRoles)
  ) {
    throw new Forbidden("You cannot change the status of somebody whose roles you could not give.");
  }
  return store.inTx(ctx, {}, async (tx) => {
    const changed = await tx.updateUserStatus(ctx, { id: user.id, status, updatedAt: ctx.now() });
    if (status === "suspended") {
      // Upstream keeps the keys, and they work again after an activation.
      const asSystem = ctx.as(actors.system, "suspension ends all sessions");
      await tx.deleteSessionsOfUser(asSystem, { userId: user.id });
    }
    await audit(tx, ctx, { action: "write", type: "user", before: user, after: changed });
    return changed;
  });
}

export async function updateRoles(
  { store }: ChangeDeps,
  ctx: Ctx,
  { user }: ResolvedUser,
  wanted: readonly string[],
): Promise<User> {
  const roles = Array.from(new Set(wanted)).filter((name) => name !== "member");
  return store.inTx(ctx, {}, async (tx) => {
    const asSystem = ctx.as(actors.system, "holds the row while its roles are compared");
    const current = await tx.lockUser(asSystem, { id: user.id });
    if (current === undefined || current.deleted) throw new NotFound();
    checkRoleChange(ctx.actor, { organizationId: undefined, stored: current.rbacRoles, wanted: roles });
    const changed = await tx.updateUserRoles(ctx, { id: user.id, rbacRoles: roles, updatedAt: ctx.now() });
    await audit(tx, ctx, { action: "write", type: "user", before: current, after: changed });
    return changed;
  });
}

export async function deleteUser({ store }: ChangeDeps, ctx: Ctx, { user }: ResolvedUser): Promise<void> {
  if (!can(ctx.actor, "delete", userKind.of(user)) || user.deleted) throw new NotFound();
  if (user.id === ctx.actor.id) throw new Forbidden("You cannot delete yourself!");
  if (!outranks(ctx.actor, user.rbacRoles)) {
    throw new Forbidden("You cannot delete somebody whose roles you could not give.");
  }
  await store.inTx(ctx, {}, async (tx) => {
    const current = await tx.lockUser(ctx, { id: user.id });
    if (current === undefined || current.deleted) throw new NotFound();
    const asSystem = ctx.as(actors.system, "counts workspaces that the caller may not see");
    const { count } = await tx.countLivingWorkspacesOfUser(asSystem, { ownerId: user.id });
    if (count > 0) {
      throw new ApiError(
        417,
        "UserHasWorkspaces",
        "You cannot delete a user that has workspaces. Delete their workspaces and try again!",
      );
    }
    await tx.updateUserDeletedById(ctx, { id: user.id, updatedAt: ctx.now() });
    await audit(tx, ctx, { action: "delete", type: "user", before: current });
  });
}
