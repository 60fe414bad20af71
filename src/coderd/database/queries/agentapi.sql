-- What an agent's connection reads and writes. Each statement is bound to the id of the agent that has signed in.

-- name: GetAgentForConnection :one
-- The agent with the workspace that it belongs to, and whether its build is still the one that counts: the latest, or
-- a start whose stop is not done yet (shutdown scripts report until the machine is gone).
SELECT
  sqlc.embed(a),
  w.id AS workspace_id,
  w.name AS workspace_name,
  w.owner_id,
  u.username AS owner_username,
  w.template_id,
  (NOT a.deleted AND NOT w.deleted AND (
    b.build_number = latest.build_number
    OR (b.transition = 'start' AND latest.build_number = b.build_number + 1 AND latest.transition = 'stop'
        AND lj.completed_at IS NULL)
  ))::boolean AS current
FROM workspace_agents a
JOIN workspace_resources r ON r.id = a.resource_id
JOIN workspace_builds b ON b.job_id = r.job_id
JOIN workspaces w ON w.id = b.workspace_id
JOIN users u ON u.id = w.owner_id
JOIN workspace_builds latest ON latest.workspace_id = w.id
  AND latest.build_number = (SELECT max(l.build_number) FROM workspace_builds l WHERE l.workspace_id = w.id)
JOIN provisioner_jobs lj ON lj.id = latest.job_id
WHERE a.id = @agent_id;

-- name: GetAgentScripts :many
SELECT * FROM workspace_agent_scripts WHERE workspace_agent_id = @agent_id ORDER BY created_at, id;

-- name: GetAgentApps :many
SELECT * FROM workspace_apps WHERE agent_id = @agent_id ORDER BY display_order, slug;

-- name: GetAgentMetadata :many
SELECT * FROM workspace_agent_metadata WHERE workspace_agent_id = @agent_id ORDER BY display_order, key;

-- name: GetAgentDevcontainers :many
SELECT * FROM workspace_agent_devcontainers WHERE workspace_agent_id = @agent_id ORDER BY created_at, id;

-- name: UpdateAgentConnection :exec
-- A connected agent: first time once, last time now.
UPDATE workspace_agents
SET first_connected_at = coalesce(first_connected_at, @now), last_connected_at = @now,
  last_connected_replica_id = sqlc.narg('replica_id'), updated_at = @now
WHERE id = @agent_id;

-- name: UpdateAgentDisconnected :exec
UPDATE workspace_agents SET disconnected_at = @now, updated_at = @now WHERE id = @agent_id;

-- name: UpdateAgentStartup :exec
UPDATE workspace_agents
SET version = @version, api_version = @api_version, expanded_directory = @expanded_directory,
  subsystems = @subsystems, updated_at = @now
WHERE id = @agent_id;

-- name: UpdateAgentLifecycle :exec
UPDATE workspace_agents
SET lifecycle_state = @state, started_at = sqlc.narg('started_at'), ready_at = sqlc.narg('ready_at'), updated_at = @now
WHERE id = @agent_id;

-- name: InsertAgentLogSource :exec
-- Sources come again with every connection.
INSERT INTO workspace_agent_log_sources (workspace_agent_id, id, display_name, icon, created_at)
VALUES (@agent_id, @id, @display_name, @icon, @now)
ON CONFLICT (workspace_agent_id, id) DO NOTHING;

-- name: AddAgentLogLength :maybe
-- Takes the room of a batch, or gives no row when the log would be too long. The row stays locked until the lines are in.
UPDATE workspace_agents SET logs_length = logs_length + @length
WHERE id = @agent_id AND (@after_overflow::boolean OR NOT logs_overflowed) AND logs_length + @length <= 1048576
RETURNING logs_length;

-- name: InsertAgentLogLines :many
INSERT INTO workspace_agent_logs (agent_id, log_source_id, created_at, level, output)
SELECT @agent_id, @log_source_id, @now, unnest(@levels::log_level[]), unnest(@outputs::text[])
RETURNING id;

-- name: UpdateAgentLogsOverflowed :exec
UPDATE workspace_agents SET logs_overflowed = true, updated_at = @now WHERE id = @agent_id;

-- name: UpdateAgentMetadata :exec
-- Values of many agents at once, newest of each key; keys that an agent does not have change nothing.
UPDATE workspace_agent_metadata m
SET value = n.value, error = n.error, collected_at = n.collected_at
FROM (
  SELECT unnest(@agent_ids::uuid[]) AS agent_id, unnest(@keys::text[]) AS key, unnest(@values::text[]) AS value,
    unnest(@errors::text[]) AS error, unnest(@collected_ats::timestamptz[]) AS collected_at
) n
WHERE m.workspace_agent_id = n.agent_id AND m.key = n.key;

-- name: InsertAgentScriptTiming :execrows
-- No row when the script is not of this agent. A report that comes twice counts once.
INSERT INTO workspace_agent_script_timings (script_id, stage, status, exit_code, started_at, ended_at)
SELECT s.id, @stage, @status, @exit_code, @started_at, @ended_at
FROM workspace_agent_scripts s WHERE s.id = @script_id AND s.workspace_agent_id = @agent_id
ON CONFLICT (script_id, started_at) DO UPDATE SET ended_at = excluded.ended_at;

-- name: UpdateAgentAppHealths :execrows
-- Only what changes is written.
UPDATE workspace_apps a SET health = u.health
FROM unnest(@ids::uuid[], @healths::workspace_app_health[]) AS u (id, health)
WHERE a.id = u.id AND a.agent_id = @agent_id AND a.health <> u.health;

-- name: InsertAgentAppStatus :exec
INSERT INTO workspace_app_statuses (id, agent_id, app_id, workspace_id, state, message, uri, created_at)
VALUES (@id, @agent_id, @app_id, @workspace_id, @state, @message, sqlc.narg('uri'), @now);

-- name: GetLatestAppState :maybe
SELECT state FROM workspace_app_statuses WHERE app_id = @app_id ORDER BY created_at DESC LIMIT 1;
