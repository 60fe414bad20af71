/** Who is calling: credentials → caller, one SQL statement each. Used by guard.ts, once per request. */
import { hash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { parseUuid } from "#codersdk/uuid.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { type Limits, limitsOfKey, subjectOf, unlimited } from "../database/dbauthz/subjects.ts";
import type { ApiKey } from "../database/gen/models.gen.ts";
import { Invalid, Unauthorized } from "../errors.ts";
import { actors } from "../rbac/actors.ts";
import type { RoleTable } from "../rbac/roletable.ts";
import { agentScope } from "../rbac/scopes.ts";
import type { AgentCaller, Anonymous, ProvisionerKeyCaller, SessionCaller } from "./caller.ts";
import type { LastUsed } from "./lastused.ts";
import { findToken, splitSessionToken } from "./token.ts";

export interface AuthenticateDeps {
  readonly store: AuthzStore;
  readonly table: RoleTable;
  readonly lastUsed: LastUsed;
  readonly accessUrl: () => string;
  readonly cookieName: string;
  /** The shared secret of provisioner daemons; empty switches it off. */
  readonly provisionerPsk: string;
  /** A dormant user has come back: makes him active and says so in the audit log. */
  readonly activate: (ctx: Ctx, caller: SessionCaller) => Promise<SessionCaller>;
}

export interface Credentials {
  readonly headers: IncomingHttpHeaders;
  readonly search: URLSearchParams;
  readonly ip: string;
}

/** Stock clients match this text. */
export const signedOut = "You are signed out or your session has expired. Please sign in again to continue.";

type Reason = "expired" | "invalid";
const descriptions = {
  expired: "The access token has expired",
  invalid: "The access token is invalid",
} satisfies Readonly<Record<Reason, string>>;

export const sha256 = (text: string): Buffer => hash("sha256", text, "buffer");

/** 401 of session authentication, with the challenge that OAuth2 clients read. */
export function unauthorized(
  accessUrl: string,
  options: { readonly message?: string; readonly detail?: string; readonly reason?: Reason } = {},
): Unauthorized {
  const description = descriptions[options.reason ?? "expired"];
  return new Unauthorized(options.message ?? signedOut, {
    ...(options.detail === undefined ? {} : { detail: options.detail }),
    headers: {
      "www-authenticate":
        `Bearer realm="coder", error="invalid_token", error_description="${description}", ` +
        `resource_metadata="${accessUrl}/.well-known/oauth-protected-resource"`,
    },
  });
}

/** Most requests without a session never need the error, so it is made on demand. */
function anonymous(deps: AuthenticateDeps, options: Parameters<typeof unauthorized>[1]): Anonymous {
  return {
    kind: "anonymous",
    get error() {
      return unauthorized(deps.accessUrl(), options);
    },
  };
}

/** Nearly every key is of this kind, and its limits need not be compiled. */
function limitsOf(key: ApiKey): Limits {
  const plain =
    key.scopes.length === 1 &&
    key.scopes[0] === "coder:all" &&
    key.allowList.length === 1 &&
    key.allowList[0] === "*:*";
  return plain ? unlimited : limitsOfKey(key);
}

export async function authenticateSession(
  deps: AuthenticateDeps,
  ctx: Ctx,
  credentials: Credentials,
): Promise<SessionCaller | Anonymous> {
  const found = findToken(credentials.headers, credentials.search, deps.cookieName);
  if (found === undefined) {
    return anonymous(deps, { detail: "No session token was sent: neither as a cookie nor in another way." });
  }
  const no = (detail: string): Anonymous =>
    anonymous(deps, { detail: `${detail} (from the ${found.place})` });
  const token = splitSessionToken(found.token);
  if (token === undefined) return no("The session token has a wrong form.");
  const row = await deps.store.getAuthentication(ctx, { id: token.id });
  if (row === undefined) return no("The session token is not known.");
  const hashed = sha256(token.secret);
  if (hashed.length !== row.k.hashedSecret.length || !timingSafeEqual(hashed, row.k.hashedSecret)) {
    return no("The session token's secret is wrong.");
  }
  if (row.u.deleted) return no("The session token is not known.");
  if (row.k.expiresAt.getTime() <= ctx.now().getTime()) {
    return no(`The session ended at ${row.k.expiresAt.toISOString()}.`);
  }
  if (row.u.status === "suspended") {
    return anonymous(deps, {
      message: 'User is not active (status = "suspended"). Contact an admin to reactivate your account.',
      reason: "invalid",
    });
  }
  const caller: SessionCaller = {
    kind: "session",
    subject: subjectOf(deps.table, { ...row, user: row.u }, limitsOf(row.k)),
    key: row.k,
    user: row.u,
    organizationIds: row.memberships.map(({ organization_id: id }) => id),
  };
  deps.lastUsed.note(row.k, credentials.ip);
  return row.u.status === "dormant" ? deps.activate(ctx, caller) : caller;
}

/** Throws 401 for everything that is no agent of a latest, finished build. */
export async function authenticateAgent(
  deps: AuthenticateDeps,
  ctx: Ctx,
  credentials: Credentials,
): Promise<AgentCaller> {
  const found = findToken(credentials.headers, credentials.search, deps.cookieName);
  const authToken = parseUuid(found?.token ?? "");
  const fail = (detail: string): Unauthorized => unauthorized(deps.accessUrl(), { detail });
  if (found === undefined) throw fail("No agent token was sent.");
  if (authToken === undefined) throw fail("The agent token has a wrong form: it must be a UUID.");
  const row = await deps.store.getAgentAuthentication(ctx, { authToken });
  if (row === undefined) throw fail("The agent token is not known, or not of the latest finished build.");
  const scope = agentScope({
    workspace: row.workspaceId,
    owner: row.u.id,
    template: row.templateId,
    version: row.templateVersionId,
    blockUserData: row.apiKeyScope === "no_user_data",
  });
  return {
    kind: "agent",
    subject: subjectOf(deps.table, { ...row, user: row.u }, { scopes: [row.apiKeyScope], scope }),
    agentId: row.agentId,
    workspaceId: row.workspaceId,
    ownerId: row.u.id,
    buildId: row.buildId,
    templateId: row.templateId,
    templateVersionId: row.templateVersionId,
  };
}

const header = (value: string | string[] | undefined): string =>
  typeof value === "string" ? value : (value?.[0] ?? "");

/** Reserved row of daemons that come with the shared secret. */
const pskKeyId = "00000000-0000-0000-0000-000000000003";

/** Undefined: the request carries neither key nor shared secret. Throws 400 for both, 401 for a wrong one. */
export async function authenticateProvisioner(
  deps: AuthenticateDeps,
  ctx: Ctx,
  { headers }: Credentials,
): Promise<ProvisionerKeyCaller | undefined> {
  const key = header(headers["coder-provisioner-daemon-key"]);
  const psk = header(headers["coder-provisioner-daemon-psk"]);
  if (key === "" && psk === "") return undefined;
  if (key !== "" && psk !== "") {
    throw new Invalid("A provisioner daemon must send a key or the shared secret, not both.");
  }
  if (psk !== "") {
    const expected = deps.provisionerPsk;
    if (expected === "" || !timingSafeEqual(sha256(psk), sha256(expected))) {
      throw new Unauthorized("The provisioner daemons' shared secret is wrong.");
    }
    return {
      kind: "provisioner_key",
      subject: actors.provisionerd,
      keyId: pskKeyId,
      organizationId: undefined,
      tags: {},
    };
  }
  const row = /^[0-9A-Za-z]{43}$/.test(key)
    ? await deps.store.getProvisionerKeyBySecret(ctx, { hashedSecret: sha256(key) })
    : undefined;
  if (row === undefined) throw new Unauthorized("The provisioner key is not known.");
  return {
    kind: "provisioner_key",
    subject: actors.provisionerd,
    keyId: row.id,
    organizationId: row.organizationId,
    tags: row.tags,
  };
}
