/**
 * What the server has acknowledged or shown, and what must therefore still be there whatever is killed. Requests whose
 * answer was lost are not in it: they may have happened or not.
 */
import type { WorkspaceTransition } from "#codersdk/provisionerjobs.ts";

export interface Ledger {
  /** Answered with 201. */
  readonly builds: Map<string, AcknowledgedBuild>;
  /** Build → digest of its state, of builds that were seen to have ended. */
  readonly states: Map<string, string>;
  /** Id of a job's log line → its text, as the server has shown it. */
  readonly jobLogs: Map<number, string>;
  /** Lines that agents were told are stored. */
  readonly agentLogs: { readonly agentId: string; readonly output: string }[];
  /** API keys by id: those that were acknowledged as made, and as deleted. */
  readonly tokens: Map<string, "live" | "deleted">;
  /** A change that was acknowledged, whose row must be in the audit table. */
  readonly audits: Audited[];
}

export interface AcknowledgedBuild {
  readonly workspaceId: string;
  readonly transition: WorkspaceTransition;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface Audited {
  readonly action: "create" | "delete" | "start" | "stop" | "write";
  /** The resource's id, or what the row calls it. */
  readonly target: string;
}

export function newLedger(): Ledger {
  return {
    builds: new Map(),
    states: new Map(),
    jobLogs: new Map(),
    agentLogs: [],
    tokens: new Map(),
    audits: [],
  };
}
