/** Who is calling, as httpmw found out; handlers get it typed by their endpoint's `auth`. */
import type { Auth } from "#codersdk/endpoint.ts";
import type { Unauthorized } from "../errors.ts";
import type { Subject } from "../rbac/subject.ts";

/** What handlers may know about the key that a request came with. */
export interface KeyFacts {
  readonly id: string;
  readonly userId: string;
  readonly loginType: string;
  readonly scopes: readonly string[];
  readonly expiresAt: Date;
  readonly lifetimeSeconds: number;
}

/** The caller himself, read together with his key. */
export interface UserFacts {
  readonly id: string;
  readonly username: string;
  readonly email: string;
  readonly status: string;
}

export interface Anonymous {
  readonly kind: "anonymous";
  /** What to answer where a session is needed. */
  readonly error: Unauthorized;
}

export interface SessionCaller {
  readonly kind: "session";
  readonly subject: Subject;
  readonly key: KeyFacts;
  readonly user: UserFacts;
}

export interface AgentCaller {
  readonly kind: "agent";
  readonly subject: Subject;
  readonly agentId: string;
  readonly workspaceId: string;
  readonly ownerId: string;
  readonly buildId: string;
  readonly templateId: string;
  readonly templateVersionId: string;
}

export interface ProvisionerKeyCaller {
  readonly kind: "provisioner_key";
  readonly subject: Subject;
  /** Undefined for the deployment's shared secret. */
  readonly keyId: string | undefined;
  readonly organizationId: string;
  readonly tags: Readonly<Record<string, string>>;
}

export type Caller = Anonymous | SessionCaller | AgentCaller | ProvisionerKeyCaller;

/** The callers that an endpoint with this `auth` can see. */
export type CallerOf<A extends Auth> = A extends "none"
  ? Anonymous | SessionCaller
  : A extends "agent"
    ? AgentCaller
    : A extends "session|provisioner_key|provisioner_psk"
      ? SessionCaller | ProvisionerKeyCaller
      : SessionCaller;
