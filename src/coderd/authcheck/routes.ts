/** `POST /authcheck`: what the caller may do. Unknown types and actions, and things he cannot read, are simply no. */
import { authcheck, type AuthorizationCheck } from "#codersdk/authcheck.ts";
import { parseUuid } from "#codersdk/uuid.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { user as userKind } from "../database/dbauthz/kinds.ts";
import { Invalid, NotFound } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import type { ResourceObject } from "../rbac/access.ts";
import { can } from "../rbac/subject.ts";

/** Each of these loads a row. */
const maxLoads = 10;

type CheckedObject = AuthorizationCheck["object"];
/** Finds the thing with its owner, organization and access lists; throws `NotFound`. */
export type LoadObject = (ctx: Ctx, id: string) => Promise<ResourceObject>;

export interface AuthcheckDeps {
  readonly store: AuthzStore;
  /** Further types that can be asked about by id. */
  readonly objects?: Readonly<Record<string, LoadObject>>;
}

export function routes(deps: AuthcheckDeps): BoundRoute[] {
  const { store } = deps;
  const loaders: Readonly<Record<string, LoadObject>> = {
    ...deps.objects,
    user: async (ctx, id) => userKind.of(await store.getUserById(ctx, { id })),
  };
  return [
    bind(authcheck.check, async (ctx, req) => {
      const { checks } = req.body();
      const named = Object.entries(checks);
      const byId = named.filter(([, { object }]) => object.resource_id !== undefined);
      if (byId.length > maxLoads) {
        throw new Invalid(`Only ${maxLoads} checks may name a resource by its id: received ${byId.length}.`);
      }
      const answers: Record<string, boolean> = {};
      for (const [key, check] of named) answers[key] = await allowed(loaders, ctx, key, check);
      return answers;
    }),
  ];
}

async function allowed(
  loaders: Readonly<Record<string, LoadObject>>,
  ctx: Ctx,
  key: string,
  { object, action }: AuthorizationCheck,
): Promise<boolean> {
  if (object.resource_type === "") {
    throw new Invalid(`Object's "resource_type" field must be defined for key ${JSON.stringify(key)}.`);
  }
  if (object.resource_id === undefined) return can(ctx.actor, action, described(ctx, object));
  const id = parseUuid(object.resource_id);
  if (id === undefined) {
    throw new Invalid(`Object ${JSON.stringify(object.resource_id)} id is not a valid uuid.`, {
      validations: [{ field: "resource_id", detail: "must be a uuid" }],
    });
  }
  const load = loaders[object.resource_type];
  if (load === undefined) {
    throw new Invalid(`Things of type ${JSON.stringify(object.resource_type)} cannot be asked about by id.`, {
      validations: [{ field: "resource_type", detail: `must be one of ${Object.keys(loaders).join(", ")}` }],
    });
  }
  try {
    return can(ctx.actor, action, await load(ctx, id));
  } catch (error) {
    if (error instanceof NotFound) return false;
    throw error;
  }
}

function described(ctx: Ctx, object: CheckedObject): ResourceObject {
  return {
    type: object.resource_type,
    owner: object.owner_id === "me" ? ctx.actor.id : object.owner_id,
    org: object.organization_id,
    anyOrg: object.any_org,
  };
}
