/** The `q` language of the workspace list: words become the list's filter; names are resolved with the caller's rights. */
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { Invalid, NotFound } from "../errors.ts";
import { splitQuery, parseSearch } from "../httpapi/search-query.ts";
import type { WorkspaceFilter } from "../workspaceview/load.ts";

const statuses = [
  "pending",
  "starting",
  "running",
  "stopping",
  "stopped",
  "failed",
  "canceling",
  "canceled",
  "deleting",
  "deleted",
] as const;

const keys = {
  name: "string",
  owner: "string",
  template: "string",
  status: "string",
  "has-agent": "strings",
  healthy: "bool",
  dormant: "bool",
  outdated: "bool",
  id: "uuids",
  last_used_before: "time",
  last_used_after: "time",
  "has-ai-task": "bool",
  has_external_agent: "bool",
  organization: "string",
  shared: "bool",
  shared_with_user: "string",
  shared_with_group: "string",
  param: "strings",
} as const;

const unreadable = (what: string, name: string): Invalid =>
  new Invalid("Invalid workspace search query.", {
    validations: [
      {
        field: what,
        detail: `${JSON.stringify(name)} either does not exist, or you are unauthorized to view it`,
      },
    ],
  });

export async function workspaceFilter(
  store: AuthzStore,
  ctx: Ctx,
  q: string,
  page: { readonly limit: number; readonly offset: number },
): Promise<WorkspaceFilter> {
  const found = parseSearch(q, { what: "workspace", free: "name", keys });
  const { owner, name } = splitName(found.name);
  const status = found.status === "" ? undefined : statuses.find((one) => one === found.status);
  if (found.status !== "" && status === undefined) {
    throw new Invalid("Invalid workspace search query.", {
      validations: [
        { field: "status", detail: `${JSON.stringify(found.status)} is not one of ${statuses.join(", ")}` },
      ],
    });
  }
  const wanted = found.owner || owner;
  const healthy =
    found.healthy === undefined ? [] : found.healthy ? ["connected"] : ["disconnected", "timeout"];
  return {
    ids: found.id.length > 0 ? found.id : null,
    ownerId: wanted === "me" ? ctx.actor.id : null,
    ownerName: wanted === "" || wanted === "me" ? null : wanted,
    name: name === "" ? null : name,
    templateName: found.template || null,
    organizationId: found.organization === "" ? null : await organizationId(store, ctx, found.organization),
    dormant: found.dormant ?? false,
    outdated: found.outdated ?? null,
    lastUsedBefore: found.last_used_before ?? null,
    lastUsedAfter: found.last_used_after ?? null,
    hasAiTask: found["has-ai-task"] ?? null,
    hasExternalAgent: found.has_external_agent ?? null,
    shared: found.shared ?? null,
    sharedWithUserId: found.shared_with_user === "" ? null : await userId(store, ctx, found.shared_with_user),
    sharedWithGroupId:
      found.shared_with_group === "" ? null : await groupId(store, ctx, found.shared_with_group),
    status: status ?? null,
    ...parameters(q),
    agentStatuses: [...found["has-agent"], ...healthy],
    pageLimit: page.limit,
    pageOffset: page.offset,
  };
}

/** The free term: `name` or `owner/name`. */
function splitName(text: string): { owner: string; name: string } {
  const parts = text.split("/");
  if (parts.length > 2) {
    throw new Invalid("Invalid workspace search query.", {
      validations: [{ field: "q", detail: `${JSON.stringify(text)} is neither a name nor owner/name` }],
    });
  }
  const [a = "", b] = parts;
  return b === undefined ? { owner: "", name: a } : { owner: a, name: b };
}

/** `param:name` and `param:name=value`; the raw elements, because lists split at commas and values may hold some. */
function parameters(q: string): Pick<WorkspaceFilter, "paramNames" | "paramPairs"> {
  const elements = splitQuery(q.toLowerCase(), "name", []).get("param") ?? [];
  return {
    paramNames: elements.filter((one) => !one.includes("=")),
    paramPairs: elements.filter((one) => one.includes("=")),
  };
}

async function resolved(
  what: string,
  name: string,
  find: () => Promise<{ readonly id: string }>,
): Promise<string> {
  try {
    return (await find()).id;
  } catch (error) {
    if (error instanceof NotFound) throw unreadable(what, name);
    throw error;
  }
}

const organizationId = (store: AuthzStore, ctx: Ctx, name: string): Promise<string> =>
  resolved("organization", name, () =>
    isUuid(name) ? store.getOrganizationById(ctx, { id: name }) : store.getOrganizationByName(ctx, { name }),
  );

const userId = (store: AuthzStore, ctx: Ctx, name: string): Promise<string> =>
  resolved("shared_with_user", name, async () =>
    name === "me"
      ? { id: ctx.actor.id }
      : isUuid(name)
        ? store.getUserById(ctx, { id: name })
        : (await store.getUserByUsernameWithOrganizations(ctx, { username: name })).u,
  );

/** Everybody's group of an organization has the organization's id and its name in front: `org/Everyone`. */
const groupId = (_store: AuthzStore, _ctx: Ctx, name: string): Promise<string> =>
  resolved("shared_with_group", name, async () => {
    if (isUuid(name)) return { id: name };
    throw new NotFound();
  });

const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
