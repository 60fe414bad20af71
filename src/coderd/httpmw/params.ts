/** Path parameters that name people and organizations (spec api §3.1). Unknown and unreadable are one 404. */
import { parseUuid } from "#codersdk/uuid.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { user as userKind } from "../database/dbauthz/kinds.ts";
import type { Organization, User } from "../database/gen/models.gen.ts";
import { Invalid, NotFound } from "../errors.ts";
import { can } from "../rbac/subject.ts";
import type { Caller } from "./caller.ts";

export interface ResolvedUser {
  readonly user: User;
  readonly organizationIds: readonly string[];
}

/** `{user}`: uuid, user name or `me`. */
export async function resolveUser(
  ctx: Ctx,
  store: AuthzStore,
  caller: Caller,
  text: string,
): Promise<ResolvedUser> {
  if (text.toLowerCase() === "me") {
    if (caller.kind !== "session") throw new Invalid('"me" needs a user\'s session.');
    // His row came with his key; a token may still be too narrow to see it.
    if (!can(ctx.actor, "read", userKind.of(caller.user))) throw new NotFound();
    return { user: caller.user, organizationIds: caller.organizationIds };
  }
  const id = parseUuid(text);
  const { u, organizationIds } =
    id === undefined
      ? await store.getUserByUsernameWithOrganizations(ctx, { username: text })
      : await store.getUserWithOrganizations(ctx, { id });
  return { user: u, organizationIds };
}

/** `{organization}`: uuid, name, `default`, or the zero uuid of old daemons for the default one. */
export async function resolveOrganization(ctx: Ctx, store: AuthzStore, text: string): Promise<Organization> {
  const id = parseUuid(text);
  if (text === "default" || id === zeroUuid) return store.getDefaultOrganization(ctx, {});
  const found =
    id === undefined
      ? await store.getOrganizationByName(ctx, { name: text })
      : await store.getOrganizationById(ctx, { id });
  if (found.deleted) throw new NotFound();
  return found;
}
