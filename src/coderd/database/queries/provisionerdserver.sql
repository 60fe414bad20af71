-- What the server's side of the daemon API reads to build job messages and writes when jobs end.

-- name: GetBuildForJob :one
-- Everything that a build's job message tells, in one statement.
SELECT sqlc.embed(b), sqlc.embed(w), sqlc.embed(v), sqlc.embed(t), sqlc.embed(o),
  k.public_key AS ssh_public_key, k.private_key AS ssh_private_key,
  tv.cached_module_files,
  ARRAY(
    SELECT g.group_name FROM user_groups g
    WHERE g.user_id = w.owner_id AND g.organization_id = w.organization_id ORDER BY g.group_name
  )::text[] AS group_names,
  ARRAY(
    SELECT unnest(m.roles) FROM organization_members m
    WHERE m.user_id = w.owner_id AND m.organization_id = w.organization_id
  )::text[] AS organization_roles,
  s.state AS previous_state
FROM workspace_builds b
JOIN workspaces w ON w.id = b.workspace_id
JOIN template_versions v ON v.id = b.template_version_id
JOIN templates t ON t.id = w.template_id
JOIN users o ON o.id = w.owner_id
LEFT JOIN git_ssh_keys k ON k.user_id = w.owner_id
LEFT JOIN template_version_terraform_values tv ON tv.template_version_id = v.id
LEFT JOIN workspace_build_states s ON s.workspace_build_id = b.id
WHERE b.id = @id;

-- name: GetVersionForJob :one
SELECT sqlc.embed(v), t.name AS template_name, t.active_version_id, tv.cached_module_files
FROM template_versions v
LEFT JOIN templates t ON t.id = v.template_id
LEFT JOIN template_version_terraform_values tv ON tv.template_version_id = v.id
WHERE v.id = @id;

-- name: GetVariablesForJob :many
SELECT * FROM template_version_variables WHERE template_version_id = @template_version_id ORDER BY name;

-- name: GetBuildParametersForJob :many
-- Of a build and of the one before it.
SELECT p.name, p.value, b.id = @build_id AS current
FROM workspace_builds b JOIN workspace_build_parameters p ON p.workspace_build_id = b.id
WHERE b.id = @build_id OR (b.workspace_id = @workspace_id AND b.build_number = @previous_number::int)
ORDER BY p.name;

-- name: GetFileForJob :one
SELECT * FROM files WHERE id = @id;

-- name: DeleteWorkspaceSessionKeys :exec
DELETE FROM api_keys WHERE user_id = @user_id AND login_type = 'token' AND token_name = @token_name;

-- name: InsertVersionVariable :exec
INSERT INTO template_version_variables (template_version_id, name, description, type, value, default_value, required, sensitive)
VALUES (@template_version_id, @name, @description, @type, @value, @default_value, @required, @sensitive)
ON CONFLICT (template_version_id, name) DO UPDATE SET value = excluded.value;

-- name: InsertVersionWorkspaceTags :exec
INSERT INTO template_version_workspace_tags (template_version_id, key, value)
SELECT @template_version_id, unnest(@keys::text[]), unnest(@values::text[])
ON CONFLICT (template_version_id, key) DO UPDATE SET value = excluded.value;

-- name: UpdateVersionReadme :exec
UPDATE template_versions SET readme = @readme, updated_at = @now WHERE id = @id;

-- name: UpdateVersionFlags :exec
UPDATE template_versions
SET has_ai_task = @has_ai_task, has_external_agent = @has_external_agent, updated_at = @now WHERE id = @id;

-- name: InsertVersionParameter :exec
INSERT INTO template_version_parameters (
  template_version_id, name, display_name, description, type, form_type, mutable, default_value, icon, options,
  required, ephemeral, display_order, validation_regex, validation_min, validation_max, validation_error,
  validation_monotonic
)
VALUES (
  @template_version_id, @name, @display_name, @description, @type, @form_type, @mutable, @default_value, @icon, @options,
  @required, @ephemeral, @display_order, @validation_regex, sqlc.narg('validation_min'), sqlc.narg('validation_max'),
  @validation_error, @validation_monotonic
);

-- name: InsertVersionPreset :exec
INSERT INTO template_version_presets (
  id, template_version_id, name, description, icon, is_default, desired_instances, invalidate_after_secs,
  scheduling_timezone, created_at
)
VALUES (
  @id, @template_version_id, @name, @description, @icon, @is_default, sqlc.narg('desired_instances'),
  sqlc.narg('invalidate_after_secs'), @scheduling_timezone, @created_at
);

-- name: InsertVersionPresetParameters :exec
INSERT INTO template_version_preset_parameters (template_version_preset_id, name, value)
SELECT @preset_id, unnest(@names::text[]), unnest(@values::text[]);

-- name: InsertVersionPresetSchedules :exec
INSERT INTO template_version_preset_prebuild_schedules (preset_id, cron_expression, desired_instances)
SELECT @preset_id, unnest(@cron_expressions::text[]), unnest(@desired_instances::int[]);

-- name: InsertVersionExternalAuth :exec
INSERT INTO template_version_external_auth (template_version_id, provider_id, optional, position)
SELECT @template_version_id, p.id, p.optional, p.n
FROM unnest(@provider_ids::text[], @optionals::boolean[]) WITH ORDINALITY AS p (id, optional, n);

-- name: UpsertVersionTerraformValues :exec
INSERT INTO template_version_terraform_values (
  template_version_id, updated_at, cached_plan, cached_module_files, provisionerd_version
)
VALUES (@template_version_id, @now, @cached_plan, sqlc.narg('cached_module_files'), @provisionerd_version)
ON CONFLICT (template_version_id) DO UPDATE SET
  updated_at = excluded.updated_at, cached_plan = excluded.cached_plan,
  cached_module_files = excluded.cached_module_files, provisionerd_version = excluded.provisionerd_version;

-- name: UpsertModuleFile :one
-- The same archive is kept once.
INSERT INTO files (id, hash, created_at, created_by, mimetype, data)
VALUES (@id, @hash, @created_at, '00000000-0000-0000-0000-000000000000', 'application/x-tar', @data)
ON CONFLICT (hash, created_by) DO UPDATE SET hash = excluded.hash
RETURNING id;

-- name: GetModuleFileByHash :maybe
SELECT id FROM files WHERE hash = @hash AND created_by = '00000000-0000-0000-0000-000000000000';

-- name: UpsertBuildState :exec
INSERT INTO workspace_build_states (workspace_build_id, state) VALUES (@build_id, @state)
ON CONFLICT (workspace_build_id) DO UPDATE SET state = excluded.state;

-- name: GetBuildState :maybe
SELECT state FROM workspace_build_states WHERE workspace_build_id = @build_id;

-- name: CopyPreviousBuildState :exec
-- A build that ended without a state of its own keeps that of the build before it.
INSERT INTO workspace_build_states (workspace_build_id, state)
SELECT b.id, s.state
FROM workspace_builds b
JOIN workspace_builds p ON p.workspace_id = b.workspace_id AND p.build_number = b.build_number - 1
JOIN workspace_build_states s ON s.workspace_build_id = p.id
WHERE b.id = @build_id
ON CONFLICT (workspace_build_id) DO NOTHING;

-- name: UpdateBuildAfterSuccess :exec
UPDATE workspace_builds
SET updated_at = @now, deadline = sqlc.narg('deadline'), max_deadline = sqlc.narg('max_deadline'),
  has_ai_task = @has_ai_task, has_external_agent = @has_external_agent
WHERE id = @id;

-- name: UpdateBuildDailyCost :exec
UPDATE workspace_builds SET daily_cost = @daily_cost WHERE id = @id;

-- name: InsertWorkspaceResource :exec
INSERT INTO workspace_resources (
  id, job_id, transition, type, name, hide, icon, instance_type, daily_cost, module_path, created_at
)
VALUES (
  @id, @job_id, @transition, @type, @name, @hide, @icon, sqlc.narg('instance_type'), @daily_cost, @module_path, @created_at
);

-- name: InsertWorkspaceResourceMetadata :exec
INSERT INTO workspace_resource_metadata (workspace_resource_id, key, value, sensitive)
SELECT @workspace_resource_id, m.key, m.value, m.sensitive
FROM unnest(@keys::text[], @values::text[], @sensitives::boolean[]) WITH ORDINALITY AS m (key, value, sensitive, n)
ORDER BY m.n;

-- name: InsertWorkspaceModules :exec
INSERT INTO workspace_modules (id, job_id, transition, source, version, key, created_at)
SELECT m.id, @job_id, @transition, m.source, m.version, m.key, @created_at
FROM unnest(@ids::uuid[], @sources::text[], @versions::text[], @keys::text[]) AS m (id, source, version, key);

-- name: InsertJobAgent :exec
INSERT INTO workspace_agents (
  id, parent_id, resource_id, name, auth_token, auth_instance_id, api_key_scope, architecture, operating_system,
  environment_variables, directory, connection_timeout_seconds, troubleshooting_url, motd_file, display_apps,
  display_order, created_at, updated_at
)
VALUES (
  @id, sqlc.narg('parent_id'), @resource_id, @name, @auth_token, sqlc.narg('auth_instance_id'), @api_key_scope,
  @architecture, @operating_system, @environment_variables, @directory, @connection_timeout_seconds,
  @troubleshooting_url, @motd_file, @display_apps::display_app[], @display_order, @created_at, @created_at
);

-- name: InsertJobAgentMetadata :exec
INSERT INTO workspace_agent_metadata (
  workspace_agent_id, key, display_name, script, interval_seconds, timeout_seconds, display_order
)
SELECT @agent_id, unnest(@keys::text[]), unnest(@display_names::text[]), unnest(@scripts::text[]),
  unnest(@intervals::bigint[]), unnest(@timeouts::bigint[]), unnest(@orders::int[]);

-- name: InsertJobAgentLogSources :exec
INSERT INTO workspace_agent_log_sources (workspace_agent_id, id, display_name, icon, created_at)
SELECT @agent_id, unnest(@ids::uuid[]), unnest(@display_names::text[]), unnest(@icons::text[]), @created_at;

-- name: InsertJobAgentScripts :exec
INSERT INTO workspace_agent_scripts (
  id, workspace_agent_id, log_source_id, log_path, display_name, script, cron, start_blocks_login, run_on_start,
  run_on_stop, timeout_seconds, created_at
)
SELECT s.id, @agent_id, s.log_source_id, s.log_path, s.display_name, s.script, s.cron, s.start_blocks_login,
  s.run_on_start, s.run_on_stop, s.timeout_seconds, @created_at
FROM unnest(
  @ids::uuid[], @log_source_ids::uuid[], @log_paths::text[], @display_names::text[], @scripts::text[], @crons::text[],
  @start_blocks_logins::boolean[], @run_on_starts::boolean[], @run_on_stops::boolean[], @timeouts::int[]
) AS s (
  id, log_source_id, log_path, display_name, script, cron, start_blocks_login, run_on_start, run_on_stop, timeout_seconds
);

-- name: InsertJobAgentDevcontainer :exec
INSERT INTO workspace_agent_devcontainers (
  id, workspace_agent_id, name, workspace_folder, config_path, subagent_id, created_at
)
VALUES (@id, @agent_id, @name, @workspace_folder, @config_path, sqlc.narg('subagent_id'), @created_at);

-- name: InsertJobAgentMemoryMonitor :exec
INSERT INTO workspace_agent_memory_monitors (agent_id, enabled, threshold, created_at, updated_at)
VALUES (@agent_id, @enabled, @threshold, @now, @now);

-- name: InsertJobAgentVolumeMonitor :exec
INSERT INTO workspace_agent_volume_monitors (agent_id, path, enabled, threshold, created_at, updated_at)
VALUES (@agent_id, @path, @enabled, @threshold, @now, @now);

-- name: UpsertJobApp :maybe
-- An app keeps its id over builds of its workspace. No row: the id belongs to an agent of another workspace.
INSERT INTO workspace_apps (
  id, agent_id, slug, display_name, icon, command, url, external, subdomain, sharing_level, open_in, hidden,
  display_order, display_group, tooltip, healthcheck_url, healthcheck_interval, healthcheck_threshold, health, created_at
)
VALUES (
  @id, @agent_id, @slug, @display_name, @icon, sqlc.narg('command'), sqlc.narg('url'), @external, @subdomain,
  @sharing_level, @open_in, @hidden, @display_order, sqlc.narg('display_group'), @tooltip, @healthcheck_url,
  @healthcheck_interval, @healthcheck_threshold, @health, @created_at
)
ON CONFLICT (id) DO UPDATE SET
  agent_id = excluded.agent_id, slug = excluded.slug, display_name = excluded.display_name, icon = excluded.icon,
  command = excluded.command, url = excluded.url, external = excluded.external, subdomain = excluded.subdomain,
  sharing_level = excluded.sharing_level, open_in = excluded.open_in, hidden = excluded.hidden,
  display_order = excluded.display_order, display_group = excluded.display_group, tooltip = excluded.tooltip,
  healthcheck_url = excluded.healthcheck_url, healthcheck_interval = excluded.healthcheck_interval,
  healthcheck_threshold = excluded.healthcheck_threshold, health = excluded.health
WHERE NOT EXISTS (
  SELECT FROM workspace_agents a
  JOIN workspace_resources r ON r.id = a.resource_id
  JOIN workspace_builds b ON b.job_id = r.job_id
  WHERE a.id = workspace_apps.agent_id AND b.workspace_id IS DISTINCT FROM sqlc.narg('workspace_id')::uuid
)
RETURNING id;

-- name: DeleteEarlierAgents :exec
-- Agents of earlier builds cannot sign in any more.
UPDATE workspace_agents SET deleted = true, updated_at = @now
WHERE NOT deleted AND id IN (
  SELECT a.id FROM workspace_builds b
  JOIN workspace_resources r ON r.job_id = b.job_id
  JOIN workspace_agents a ON a.resource_id = r.id
  WHERE b.workspace_id = @workspace_id AND b.build_number < @build_number::int
);

-- name: DeleteAgentsOfWorkspace :exec
UPDATE workspace_agents SET deleted = true, updated_at = @now
WHERE NOT deleted AND id IN (
  SELECT a.id FROM workspace_builds b
  JOIN workspace_resources r ON r.job_id = b.job_id
  JOIN workspace_agents a ON a.resource_id = r.id
  WHERE b.workspace_id = @workspace_id
);

-- name: MarkWorkspaceDeleted :exec
UPDATE workspaces SET deleted = true, updated_at = @now WHERE id = @id;

-- name: GetWorkspaceForJob :one
SELECT sqlc.embed(w), sqlc.embed(b), sqlc.embed(t), o.username AS owner_username,
  o.quiet_hours_schedule AS owner_quiet_hours
FROM workspace_builds b
JOIN workspaces w ON w.id = b.workspace_id
JOIN templates t ON t.id = w.template_id
JOIN users o ON o.id = w.owner_id
WHERE b.id = @build_id;

-- name: GetBuildOfJob :maybe
SELECT id FROM workspace_builds WHERE job_id = @job_id;
