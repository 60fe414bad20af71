/**
 * Actors that are no user: each does one job of the server, with the pairs that this job uses. `ctx.as(actors.x, "why")`
 * is the only way to become one.
 */
import { compileAccess, compileRole } from "./access.ts";
import { grant, siteRole } from "./permission.ts";
import { scopeAll } from "./scopes.ts";
import type { Subject } from "./subject.ts";

const nilUuid = "00000000-0000-0000-0000-000000000000";

function actor(name: string, friendlyName: string, pairs: Readonly<Record<string, string>>): Subject {
  const role = compileRole(siteRole(name, friendlyName, grant(pairs)));
  const access = compileAccess({ subjectId: nilUuid, roles: [role], groups: [], scope: scopeAll });
  return { id: nilUuid, type: name, friendlyName, roles: [name], groups: [], scopes: ["coder:all"], access };
}

export const actors = {
  /** Nobody: holds nothing. Requests without credentials. */
  nobody: actor("nobody", "Nobody", {}),
  /** Finds out who calls, creates the first user, serves what needs no user. */
  system: actor("system", "System", {
    "*": "read",
    system: "all",
    api_key: "all",
    user: "all",
    assign_role: "all",
    assign_org_role: "all",
    organization: "create update",
    organization_member: "create delete",
    group: "create update delete",
    provisioner_daemon: "create update delete",
    provisioner_jobs: "create update",
    workspace: "update delete start stop ssh",
    workspace_dormant: "update delete stop",
    deployment_config: "create update delete",
    crypto_key: "all",
    file: "all",
    audit_log: "create",
    notification_message: "all",
  }),
  /** Writes down what others did. */
  auditor: actor("audit-writer", "Audit Writer", { audit_log: "create" }),
  /** Gives jobs to daemons and stores what they report. */
  provisionerd: actor("provisionerd", "Provisioner Daemon", {
    system: "all",
    api_key: "all",
    template: "read update",
    workspace: "read update delete start stop create_agent",
    workspace_dormant: "read update delete stop create_agent",
    task: "read update delete",
    file: "create read",
    provisioner_jobs: "create read update",
    user: "read read_personal update_personal",
    organization: "read",
    group: "read",
    provisioner_daemon: "create read update",
    audit_log: "create",
  }),
  /** Stores what an agent reports of itself; its connection binds every call to its own id. */
  agentApi: actor("agentapi", "Agent API", { system: "read update" }),
  /** Writes down who connected to what. */
  connectionLogger: actor("connection-logger", "Connection Logger", { connection_log: "read update" }),
  /** Ends jobs that nobody works on. */
  jobReaper: actor("jobreaper", "Job Reaper", {
    system: "all",
    template: "read update",
    workspace: "read update",
    workspace_dormant: "read update",
    provisioner_jobs: "read update",
  }),
  /** Makes, reads and removes signing keys. */
  keyRotator: actor("keyrotator", "Key Rotator", { crypto_key: "all" }),
  /** Deletes what is past its time. */
  dbPurge: actor("dbpurge", "DB Purge", {
    system: "delete",
    notification_message: "delete",
    api_key: "delete",
  }),
} as const satisfies Readonly<Record<string, Subject>>;
