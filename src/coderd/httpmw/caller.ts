/** Who is calling, as httpmw found out; handlers get it typed by their endpoint's `auth`. */
import type { Auth } from "#codersdk/endpoint.ts";
import type { ApiKey, User } from "../database/gen/models.gen.ts";
import type { Unauthorized } from "../errors.ts";
import type { Subject } from "../rbac/subject.ts";

export interface Anonymous {
  readonly kind: "anonymous";
  /** What to answer where a session is needed. */
  readonly error: Unauthorized;
}

export interface SessionCaller {
  readonly kind: "session";
  readonly subject: Subject;
  readonly key: ApiKey;
  /** His row, read together with the key; handlers that show the caller to himself need no other query. */
  readonly user: User;
  readonly organizationIds: readonly string[];
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
  /** Row of `provisioner_keys`; the reserved one for the deployment's shared secret. */
  readonly keyId: string;
  /** Undefined: any organization, by the shared secret. */
  readonly organizationId: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

export type Caller = Anonymous | SessionCaller | AgentCaller | ProvisionerKeyCaller;

/** The callers that an endpoint with this `auth` can see. */
export type CallerOf<A extends Auth> = A extends "none"
  ? Anonymous | SessionCaller
  : A extends "agent"
    ? AgentCaller
    : A extends "provisioner_key"
      ? ProvisionerKeyCaller
      : A extends "session|provisioner_key|provisioner_psk"
        ? SessionCaller | ProvisionerKeyCaller
        : SessionCaller;
