-- name: UpsertConnectionLog :exec
-- Connect and disconnect come in any order, and may come twice: the earliest connect and the first disconnect count.
INSERT INTO connection_logs (
  id, connect_time, organization_id, workspace_owner_id, workspace_id, workspace_name, agent_name, type, ip, code,
  connection_id, disconnect_time, disconnect_reason
)
SELECT @id, @at::timestamptz, w.organization_id, w.owner_id, w.id, w.name, a.name, @type, sqlc.narg('ip'),
  sqlc.narg('code'), @connection_id, sqlc.narg('disconnect_time'), sqlc.narg('disconnect_reason')
FROM workspaces w, workspace_agents a WHERE w.id = @workspace_id AND a.id = @agent_id
ON CONFLICT (connection_id, workspace_id, agent_name) DO UPDATE
SET connect_time = least(connection_logs.connect_time, excluded.connect_time),
  disconnect_time = coalesce(connection_logs.disconnect_time, excluded.disconnect_time),
  disconnect_reason = coalesce(connection_logs.disconnect_reason, excluded.disconnect_reason),
  code = coalesce(connection_logs.code, excluded.code);
