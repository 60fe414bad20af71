-- name: DeleteExpiredApiKeys :execrows
-- Keys expired for a while, oldest first, at most `limit` at a time.
DELETE FROM api_keys WHERE id IN (
  SELECT k.id FROM api_keys k WHERE k.expires_at < @before ORDER BY k.expires_at LIMIT @row_limit
);

-- name: DeleteUsedLoginLinks :execrows
DELETE FROM login_links WHERE expires_at < @before;

-- name: DeleteStaleProvisionerDaemons :execrows
-- Unseen since `before`, or made before it and never seen.
DELETE FROM provisioner_daemons WHERE coalesce(last_seen_at, created_at) < @before;

-- name: DeleteOldWorkspaceAgentStats :execrows
DELETE FROM workspace_agent_stats WHERE id IN (
  SELECT s.id FROM workspace_agent_stats s WHERE s.created_at < @before ORDER BY s.created_at LIMIT @row_limit
);

-- name: DeleteOldWorkspaceAgentLogs :execrows
-- Logs of agents that last connected (or were made) before `before`; those of a workspace's latest build stay.
DELETE FROM workspace_agent_logs WHERE agent_id IN (
  SELECT a.id
  FROM workspace_agents a
  JOIN workspace_resources r ON r.id = a.resource_id
  JOIN workspace_builds b ON b.job_id = r.job_id
  WHERE coalesce(a.last_connected_at, a.created_at) < @before
    AND a.logs_length > 0
    AND EXISTS (
      SELECT FROM workspace_builds newer
      WHERE newer.workspace_id = b.workspace_id AND newer.build_number > b.build_number
    )
  ORDER BY a.created_at
  LIMIT @row_limit
);
