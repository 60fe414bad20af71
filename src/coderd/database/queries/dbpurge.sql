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
-- Logs of agents that last connected (or were made) before `before`; those of a workspace's latest build stay. Counts
-- agents. Their `logs_length` goes to 0, so that the next run does not look at them again.
WITH old AS (
  SELECT a.id
  FROM workspace_agents a
  JOIN workspace_resources r ON r.id = a.resource_id
  JOIN workspace_builds b ON b.job_id = r.job_id
  WHERE a.logs_length > 0
    AND coalesce(a.last_connected_at, a.created_at) < @before
    AND EXISTS (
      SELECT FROM workspace_builds newer
      WHERE newer.workspace_id = b.workspace_id AND newer.build_number > b.build_number
    )
  ORDER BY a.created_at
  LIMIT @row_limit
),
gone AS (
  DELETE FROM workspace_agent_logs l USING old WHERE l.agent_id = old.id
)
UPDATE workspace_agents a SET logs_length = 0 FROM old WHERE a.id = old.id;
