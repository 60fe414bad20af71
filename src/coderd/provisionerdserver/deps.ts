/** What the server's side of the daemon API works with. */
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { ProvisionerType } from "../database/gen/models.gen.ts";
import type { Pubsub } from "../database/pubsub/pubsub.ts";
import type { Acquirer } from "./acquirer.ts";

export interface ProvisionerdServerDeps {
  readonly store: AuthzStore;
  readonly pubsub: Pubsub;
  readonly rand: Rand;
  readonly acquirer: Acquirer;
  readonly accessUrl: () => string;
  /** Lifetime of the session tokens that workspaces get. */
  readonly sessionMs: number;
  /** Of users without their own. */
  readonly quietHours: string;
  /** Aborts when the server leaves: daemons get no new jobs. */
  readonly leaving: AbortSignal;
}

/** A connected daemon. */
export interface DaemonIdentity {
  readonly id: string;
  readonly organizationId: string;
  readonly types: readonly ProvisionerType[];
  readonly tags: Readonly<Record<string, string>>;
  readonly apiVersion: string;
}
