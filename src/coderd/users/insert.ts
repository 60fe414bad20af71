/** Makes a user with all that belongs to him: SSH key and memberships. Part of somebody's transaction. */
import { audit } from "../audit/audit.ts";
import { isUniqueViolation } from "../database/errors.ts";
import type { AuthzTx } from "../database/dbauthz/dbauthz.ts";
import type { InsertUserArg } from "../database/gen/users.gen.ts";
import type { User } from "../database/gen/models.gen.ts";
import type { Ctx } from "../ctx.ts";
import { Conflict } from "../errors.ts";
import { newKeyPair } from "../gitsshkey/gitsshkey.ts";
import { actors } from "../rbac/actors.ts";

export interface NewUser extends Omit<InsertUserArg, "createdAt" | "updatedAt" | "avatarUrl"> {
  readonly organizationIds: readonly string[];
}

/** Throws `Conflict` if name or e-mail are taken. */
export async function insertUser(ctx: Ctx, tx: AuthzTx, wanted: NewUser): Promise<User> {
  const now = ctx.now();
  const { organizationIds, ...row } = wanted;
  try {
    const user = await tx.insertUser(ctx, { ...row, avatarUrl: "", createdAt: now, updatedAt: now });
    const asSystem = ctx.as(actors.system, "a new user gets his SSH key and memberships");
    await tx.upsertGitSshKey(asSystem, { userId: user.id, now, ...newKeyPair() });
    for (const organizationId of organizationIds) {
      await tx.insertOrganizationMember(asSystem, {
        organizationId,
        userId: user.id,
        roles: [],
        createdAt: now,
        updatedAt: now,
      });
    }
    await audit(tx, ctx, { action: "create", type: "user", after: user, statusCode: 201 });
    return user;
  } catch (error) {
    if (isUniqueViolation(error)) throw new Conflict("User already exists.", { cause: error });
    throw error;
  }
}
