/**
 * The audit log's one writer. Whoever changes something calls `audit` in the transaction of the change, so that neither
 * is there without the other. Secrets never reach the log (resources.ts says which columns are).
 */
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { nilUuid } from "../database/dbauthz/kinds.ts";
import type { AuditAction } from "../database/gen/models.gen.ts";
import { actors } from "../rbac/actors.ts";
import { diff } from "./diff.ts";
import { type AuditedRows, type AuditedType, type Resource, resources } from "./resources.ts";

export interface AuditEntry<T extends AuditedType> {
  readonly action: AuditAction;
  readonly type: T;
  /** As it was; absent if it was not there. */
  readonly before?: AuditedRows[T] | undefined;
  /** As it is now; absent if it is gone. One of the two must be given. */
  readonly after?: AuditedRows[T] | undefined;
  /** Where it was asked for, if not where ctx says. */
  readonly request?: { readonly ip: string; readonly userAgent: string } | undefined;
  /** What the answer's status is. Default 200. No diff is kept of what failed. */
  readonly statusCode?: number;
  /** `additional_fields`. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** Default: that of ctx. Builds are filed under their job's id. */
  readonly requestId?: string;
  /** Who did it, if not the actor of ctx. */
  readonly userId?: string;
  /** For things that do not name their organization themselves. */
  readonly organizationId?: string;
}

export async function audit<T extends AuditedType>(
  store: Pick<AuthzStore, "insertAuditLog">,
  ctx: Ctx,
  entry: AuditEntry<T>,
): Promise<void> {
  const { action, type, before, after, request = ctx.origin, statusCode = 200 } = entry;
  const resource: Resource<AuditedRows[T]> = resources[type];
  const row = after ?? before;
  if (row === undefined) throw new Error(`audit of ${action} ${type}: nothing to tell of`);
  const silent = statusCode >= 400 || action === "login" || action === "logout";
  await store.insertAuditLog(ctx.as(actors.auditor, "the audit log tells of every change"), {
    id: cryptoRand.uuid(),
    time: ctx.now(),
    userId: entry.userId ?? ctx.actor.id,
    organizationId: entry.organizationId ?? resource.organization(row) ?? nilUuid,
    ip: request?.ip || null,
    userAgent: request === undefined ? null : request.userAgent.slice(0, 256),
    resourceType: type,
    resourceId: resource.id(row),
    resourceTarget: resource.target(row),
    resourceIcon: resource.icon?.(row) ?? "",
    action,
    diff: silent ? {} : diff(resource, before, after),
    statusCode,
    additionalFields: entry.extra ?? {},
    requestId: entry.requestId ?? requestIdOf(ctx),
  });
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Background work has ids of its own, which are no uuids. */
const requestIdOf = ({ requestId }: Ctx): string => (uuid.test(requestId) ? requestId : nilUuid);
