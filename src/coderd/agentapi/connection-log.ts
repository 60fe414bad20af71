/** Reports of connections (spec agent §11) become rows of the connection log. */
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { isIP } from "node:net";
import { type Connection, Connection_Action, Connection_Type } from "#rpc/gen/agent_pb.js";
import { DrpcError } from "#rpc/drpc/call.ts";
import { uuidText } from "#tailnet/addresses.ts";
import type { Ctx } from "../ctx.ts";
import type { ConnectionType } from "../database/gen/models.gen.ts";
import { actors } from "../rbac/actors.ts";
import type { AgentApiDeps, AgentIdentity } from "./deps.ts";

const types: Readonly<Record<Connection_Type, ConnectionType>> = {
  [Connection_Type.SSH]: "ssh",
  [Connection_Type.VSCODE]: "vscode",
  [Connection_Type.JETBRAINS]: "jetbrains",
  [Connection_Type.RECONNECTING_PTY]: "reconnecting_pty",
  // A session of a kind that the agent does not know; all of them come over ssh.
  [Connection_Type.TYPE_UNSPECIFIED]: "ssh",
};
const maxReason = 4096;
/** A clock that is ahead by more is wrong; then our own counts. */
const aheadMs = 60_000;

export async function storeConnection(
  deps: Pick<AgentApiDeps, "store" | "rand">,
  ctx: Ctx,
  identity: Pick<AgentIdentity, "agentId" | "workspaceId">,
  connection: Connection | undefined,
): Promise<void> {
  const connectionId = connection ? uuidText(connection.id) : undefined;
  if (!connection || !connectionId || connection.id.every((byte) => byte === 0)) {
    throw new DrpcError("the connection has no id");
  }
  const type = types[connection.type];
  const { action, ip } = connection;
  if (type === undefined) throw new DrpcError(`unknown connection type ${connection.type}`);
  if (action !== Connection_Action.CONNECT && action !== Connection_Action.DISCONNECT) {
    throw new DrpcError(`unknown connection action ${action}`);
  }
  const at = timeOf(connection, ctx.now());
  const ended = action === Connection_Action.DISCONNECT;
  const reason = (connection.reason ?? "").slice(0, maxReason).replaceAll("\0", "");
  await deps.store.upsertConnectionLog(ctx.as(actors.connectionLogger, "an agent reports a connection"), {
    id: deps.rand.uuid(),
    at,
    workspaceId: identity.workspaceId,
    agentId: identity.agentId,
    type,
    connectionId,
    ip: isIP(ip) === 0 ? null : ip,
    code: ended ? connection.statusCode : null,
    disconnectTime: ended ? at : null,
    disconnectReason: ended && reason !== "" ? reason : null,
  });
}

function timeOf({ timestamp }: Connection, now: Date): Date {
  if (!timestamp || timestamp.seconds <= 0n || timestamp.seconds > 253_402_300_799n) return now;
  const at = timestampDate(timestamp);
  return at.getTime() > now.getTime() + aheadMs ? now : at;
}
