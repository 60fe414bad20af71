-- Versions of templates with the import job, who made them, and what the import found.

-- name: InsertTemplateVersion :one
INSERT INTO template_versions (
  id, template_id, organization_id, job_id, created_by, name, message, source_example_id, created_at, updated_at
)
VALUES (
  @id, sqlc.narg('template_id'), @organization_id, @job_id, @created_by, @name, @message,
  sqlc.narg('source_example_id'), @created_at, @created_at
)
RETURNING *;

-- name: GetTemplateVersionById :one
SELECT sqlc.embed(v), sqlc.embed(j), u.username AS creator_username, u.name AS creator_name,
  u.avatar_url AS creator_avatar_url, t.user_acl, t.group_acl
FROM template_versions v
JOIN provisioner_jobs j ON j.id = v.job_id
JOIN users u ON u.id = v.created_by
LEFT JOIN templates t ON t.id = v.template_id
WHERE v.id = @id;

-- name: GetTemplateVersionByName :maybe
SELECT sqlc.embed(v), sqlc.embed(j), u.username AS creator_username, u.name AS creator_name,
  u.avatar_url AS creator_avatar_url, t.user_acl, t.group_acl
FROM template_versions v
JOIN provisioner_jobs j ON j.id = v.job_id
JOIN users u ON u.id = v.created_by
JOIN templates t ON t.id = v.template_id
WHERE v.template_id = @template_id AND v.name = @name;

-- name: GetPreviousTemplateVersion :maybe
-- The one made before this one.
SELECT sqlc.embed(v), sqlc.embed(j), u.username AS creator_username, u.name AS creator_name,
  u.avatar_url AS creator_avatar_url, t.user_acl, t.group_acl
FROM template_versions v
JOIN template_versions later ON later.template_id = v.template_id AND later.id = @id
JOIN provisioner_jobs j ON j.id = v.job_id
JOIN users u ON u.id = v.created_by
JOIN templates t ON t.id = v.template_id
WHERE (v.created_at, v.id) < (later.created_at, later.id)
ORDER BY v.created_at DESC, v.id DESC
LIMIT 1;

-- name: GetTemplateVersionsOfTemplate :many
-- Oldest first, from after `after_id` on.
SELECT sqlc.embed(v), sqlc.embed(j), u.username AS creator_username, u.name AS creator_name,
  u.avatar_url AS creator_avatar_url
FROM template_versions v
JOIN provisioner_jobs j ON j.id = v.job_id
JOIN users u ON u.id = v.created_by
WHERE v.template_id = @template_id
  AND (@include_archived::boolean OR NOT v.archived)
  AND (
    sqlc.narg('after_id')::uuid IS NULL
    OR (v.created_at, v.id) > (SELECT a.created_at, a.id FROM template_versions a WHERE a.id = sqlc.narg('after_id'))
  )
ORDER BY v.created_at, v.id
LIMIT nullif(@max::int, 0) OFFSET @skip::int;

-- name: UpdateTemplateVersion :one
UPDATE template_versions SET name = @name, message = @message, updated_at = @updated_at WHERE id = @id
RETURNING *;

-- name: AttachTemplateVersion :one
-- Nothing happens to a version that has a template already.
UPDATE template_versions SET template_id = @template_id, updated_at = @updated_at
WHERE id = @id AND template_id IS NULL
RETURNING *;

-- name: UnarchiveTemplateVersion :exec
UPDATE template_versions SET archived = false, updated_at = @updated_at WHERE id = @id;

-- name: ArchiveTemplateVersions :many
-- Those that nothing needs: neither active, nor of a workspace's latest build that is no deletion, nor still importing.
-- A null id means every version; `failed_only` takes those whose import did not succeed.
UPDATE template_versions v SET archived = true, updated_at = @updated_at
FROM provisioner_jobs j, templates t
WHERE j.id = v.job_id AND t.id = v.template_id
  AND v.template_id = @template_id AND NOT v.archived
  AND (sqlc.narg('version_id')::uuid IS NULL OR v.id = sqlc.narg('version_id'))
  AND t.active_version_id <> v.id
  AND j.completed_at IS NOT NULL
  AND (NOT @failed_only::boolean OR j.job_status = 'failed')
  AND NOT EXISTS (
    SELECT FROM workspace_builds b
    WHERE b.template_version_id = v.id AND b.transition <> 'delete'
      AND NOT EXISTS (
        SELECT FROM workspace_builds newer
        WHERE newer.workspace_id = b.workspace_id AND newer.build_number > b.build_number
      )
  )
RETURNING v.id;

-- name: GetTemplateVersionParameters :many
SELECT * FROM template_version_parameters WHERE template_version_id = @template_version_id
ORDER BY display_order, lower(name);

-- name: GetTemplateVersionVariables :many
SELECT * FROM template_version_variables WHERE template_version_id = @template_version_id ORDER BY name;

-- name: GetTemplateVersionExternalAuth :many
SELECT * FROM template_version_external_auth WHERE template_version_id = @template_version_id ORDER BY position;
