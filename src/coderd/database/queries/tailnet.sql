-- name: GetWorkspaceToDial :maybe
-- The workspace of an agent that may be connected to: of the latest build, and not deleted.
SELECT sqlc.embed(w)
FROM workspace_agents a
JOIN workspace_resources r ON r.id = a.resource_id
JOIN workspace_builds b ON b.job_id = r.job_id
JOIN workspaces w ON w.id = b.workspace_id
WHERE a.id = @agent_id AND NOT a.deleted AND NOT w.deleted;
