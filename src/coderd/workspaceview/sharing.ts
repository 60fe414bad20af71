/** Access lists of workspaces as the API shows them: roles for sets of actions. Pure. */
import type { SharedWorkspaceActor, WorkspaceRole } from "#codersdk/workspaces.ts";
import type { Workspace } from "../database/gen/models.gen.ts";

const use = ["application_connect", "read", "ssh", "start", "stop"];

/** What each role allows: `admin` everything but deletion; `create` stands for the right to change the list. */
export const actionsOfRole = {
  use,
  admin: [...use, "create", "create_agent", "delete_agent", "share", "update", "update_agent"],
} as const;

/** A set of actions that is no role's is shown as none. */
export function roleOf(actions: readonly string[]): WorkspaceRole {
  const given = new Set(actions);
  const same = (wanted: readonly string[]): boolean =>
    given.size === wanted.length && wanted.every((action) => given.has(action));
  if (given.has("*") || same(actionsOfRole.admin)) return "admin";
  return same(actionsOfRole.use) ? "use" : "";
}

interface Named {
  readonly id: string;
  readonly name: string;
  readonly avatarUrl: string;
}

export function sharedWith(
  { userAcl, groupAcl }: Workspace,
  users: readonly (Named & { readonly username: string })[],
  groups: readonly Named[],
): SharedWorkspaceActor[] {
  const actors: SharedWorkspaceActor[] = [];
  for (const { id, name, username, avatarUrl } of users) {
    const entry = userAcl[id];
    if (!entry) continue;
    const roles = [roleOf(entry.permissions)];
    actors.push({ id, actor_type: "user", name: name || username, avatar_url: avatarUrl, roles });
  }
  for (const { id, name, avatarUrl } of groups) {
    const entry = groupAcl[id];
    if (!entry) continue;
    const roles = [roleOf(entry.permissions)];
    actors.push({ id, actor_type: "group", name, avatar_url: avatarUrl, roles });
  }
  return actors.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
