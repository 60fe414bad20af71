-- name: GetWorkspaceAgentById :one
-- An agent and where it belongs. `latest`: its build is still the newest of the workspace.
SELECT sqlc.embed(a), r.job_id, w.id AS workspace_id, w.owner_id,
  (b.build_number = (SELECT max(l.build_number) FROM workspace_builds l WHERE l.workspace_id = w.id))::boolean AS latest
FROM workspace_agents a
JOIN workspace_resources r ON r.id = a.resource_id
JOIN workspace_builds b ON b.job_id = r.job_id
JOIN workspaces w ON w.id = b.workspace_id
WHERE a.id = @id AND NOT a.deleted AND NOT w.deleted;

-- name: GetWorkspaceAgentLogsAfter :many
SELECT * FROM workspace_agent_logs WHERE agent_id = @agent_id AND id > @after ORDER BY id LIMIT @max_rows;

-- name: GetWorkspaceAgentMetadataRows :many
SELECT * FROM workspace_agent_metadata WHERE workspace_agent_id = @agent_id ORDER BY display_order, key;
