-- What a new build is decided by, and its rows.

-- name: LockTemplateToUse :one
-- Nobody deletes the template while a workspace is made from it.
SELECT * FROM templates WHERE id = @id FOR SHARE;

-- name: GetTemplateIdOfVersion :maybe
SELECT template_id, archived FROM template_versions WHERE id = @id;

-- name: LockWorkspaceToBuild :one
-- Builds come one by one. A statement that waits for a lock reads what was before the wait, so the facts come after it.
SELECT * FROM workspaces WHERE id = @id FOR UPDATE;

-- name: GetBuildFacts :one
-- The workspace, its template and its latest build, if there is one.
SELECT sqlc.embed(w), sqlc.embed(t), b.id AS last_build_id, b.build_number AS last_build_number,
  b.template_version_id AS last_version_id, b.transition AS last_transition, j.job_status AS last_status
FROM workspaces w
JOIN templates t ON t.id = w.template_id
LEFT JOIN LATERAL (
  SELECT * FROM workspace_builds wb WHERE wb.workspace_id = w.id ORDER BY wb.build_number DESC LIMIT 1
) b ON true
LEFT JOIN provisioner_jobs j ON j.id = b.job_id
WHERE w.id = @workspace_id;

-- name: GetVersionToBuild :maybe
SELECT sqlc.embed(v), sqlc.embed(j),
  EXISTS (SELECT 1 FROM template_version_workspace_tags t WHERE t.template_version_id = v.id) AS tagged
FROM template_versions v JOIN provisioner_jobs j ON j.id = v.job_id
WHERE v.id = @id;

-- name: GetParametersToBuild :many
SELECT * FROM template_version_parameters WHERE template_version_id = @template_version_id
ORDER BY display_order, lower(name);

-- name: GetBuildParameters :many
SELECT name, value FROM workspace_build_parameters WHERE workspace_build_id = @build_id ORDER BY name;

-- name: GetPresetsToBuild :many
SELECT p.id, p.name, p.is_default, v.name AS parameter_name, v.value AS parameter_value
FROM template_version_presets p
LEFT JOIN template_version_preset_parameters v ON v.template_version_preset_id = p.id
WHERE p.template_version_id = @template_version_id ORDER BY p.name, p.id;

-- name: InsertWorkspace :one
INSERT INTO workspaces (
  id, owner_id, organization_id, template_id, name, autostart_schedule, next_start_at, ttl_ms, last_used_at,
  automatic_updates, created_at, updated_at
)
VALUES (
  @id, @owner_id, @organization_id, @template_id, @name, sqlc.narg('autostart_schedule'), sqlc.narg('next_start_at'),
  sqlc.narg('ttl_ms'), @now, @automatic_updates, @now, @now
)
RETURNING *;

-- name: InsertWorkspaceBuild :one
INSERT INTO workspace_builds (
  id, workspace_id, build_number, template_version_id, template_version_preset_id, job_id, initiator_id, transition,
  reason, created_at, updated_at
)
VALUES (
  @id, @workspace_id, @build_number, @template_version_id, sqlc.narg('preset_id'), @job_id, @initiator_id, @transition,
  @reason, @now, @now
)
RETURNING *;

-- name: InsertWorkspaceBuildParameters :exec
INSERT INTO workspace_build_parameters (workspace_build_id, name, value)
SELECT @build_id, unnest(@names::text[]), unnest(@values::text[]);

-- name: CopyBuildState :exec
INSERT INTO workspace_build_states (workspace_build_id, state)
SELECT @to_build_id, state FROM workspace_build_states WHERE workspace_build_id = @from_build_id;

-- name: ClearWorkspaceDormancy :exec
UPDATE workspaces SET dormant_at = NULL, deleting_at = NULL, last_used_at = @now, updated_at = @now WHERE id = @id;

-- name: UpdateWorkspaceAutostart :exec
UPDATE workspaces SET autostart_schedule = sqlc.narg('schedule'), next_start_at = sqlc.narg('next_start_at'), updated_at = @now
WHERE id = @id;

-- name: UpdateWorkspaceTtl :exec
UPDATE workspaces SET ttl_ms = sqlc.narg('ttl_ms'), updated_at = @now WHERE id = @id;

-- name: UpdateWorkspaceAutomaticUpdates :exec
UPDATE workspaces SET automatic_updates = @automatic_updates, updated_at = @now WHERE id = @id;

-- name: UpdateWorkspaceFavorite :exec
UPDATE workspaces SET favorite = @favorite, updated_at = @now WHERE id = @id;

-- name: UpdateWorkspaceName :exec
UPDATE workspaces SET name = @name, updated_at = @now WHERE id = @id;

-- name: TouchWorkspace :exec
UPDATE workspaces SET last_used_at = @now WHERE id = @id AND (last_used_at IS NULL OR last_used_at < @now);

-- name: ResetBuildDeadline :exec
-- The running start build stops by itself no earlier than it must.
UPDATE workspace_builds SET deadline = max_deadline, updated_at = @now WHERE id = @id AND transition = 'start';

-- name: GetBuildToRead :one
-- A build with its workspace, job and template's cancel setting.
SELECT sqlc.embed(b), sqlc.embed(w), sqlc.embed(j), t.allow_user_cancel_workspace_jobs, t.id AS template_id,
  t.organization_id AS template_organization_id, t.user_acl AS template_user_acl, t.group_acl AS template_group_acl
FROM workspace_builds b
JOIN workspaces w ON w.id = b.workspace_id
JOIN provisioner_jobs j ON j.id = b.job_id
JOIN templates t ON t.id = w.template_id
WHERE b.id = @id;
