-- Who connected to which workspace, how and until when.

CREATE TYPE connection_type AS ENUM ('ssh', 'vscode', 'jetbrains', 'reconnecting_pty', 'workspace_app', 'port_forwarding');

CREATE TABLE connection_logs (
  id uuid PRIMARY KEY,
  connect_time timestamptz NOT NULL,
  organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  workspace_owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  workspace_name text NOT NULL,
  agent_name text NOT NULL,
  type connection_type NOT NULL,
  ip inet,
  code integer,
  user_agent text,
  user_id uuid,
  slug_or_port text,
  connection_id uuid,
  disconnect_time timestamptz,
  disconnect_reason text
);
COMMENT ON TABLE connection_logs IS 'Connections to agents: reported by agents, or, for apps and ports, written by who serves them.';
COMMENT ON COLUMN connection_logs.connection_id IS 'Of a connection that an agent reports; null for requests of apps and ports.';
COMMENT ON COLUMN connection_logs.user_id IS 'Null: an agent does not know who connects.';
CREATE UNIQUE INDEX connection_logs_connection_idx ON connection_logs (connection_id, workspace_id, agent_name);
CREATE INDEX connection_logs_connect_time_idx ON connection_logs (connect_time DESC);
CREATE INDEX connection_logs_organization_idx ON connection_logs (organization_id);
CREATE INDEX connection_logs_workspace_idx ON connection_logs (workspace_id);
CREATE INDEX connection_logs_owner_idx ON connection_logs (workspace_owner_id);
