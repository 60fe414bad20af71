-- What permission rules must know of a thing before a query may touch it. Only dbauthz runs these.

-- name: GetWorkspaceFacts :maybe
SELECT w.id, w.organization_id, w.owner_id, w.dormant_at, w.user_acl, w.group_acl
FROM workspaces w WHERE w.id = @id;

-- name: GetWorkspaceFactsByBuildId :maybe
SELECT w.id, w.organization_id, w.owner_id, w.dormant_at, w.user_acl, w.group_acl
FROM workspace_builds b JOIN workspaces w ON w.id = b.workspace_id WHERE b.id = @build_id;

-- name: GetWorkspaceFactsByAgentId :maybe
SELECT w.id, w.organization_id, w.owner_id, w.dormant_at, w.user_acl, w.group_acl
FROM workspace_agents a
JOIN workspace_resources r ON r.id = a.resource_id
JOIN workspace_builds b ON b.job_id = r.job_id
JOIN workspaces w ON w.id = b.workspace_id
WHERE a.id = @agent_id;

-- name: GetWorkspaceFactsByResourceId :maybe
SELECT w.id, w.organization_id, w.owner_id, w.dormant_at, w.user_acl, w.group_acl
FROM workspace_resources r
JOIN workspace_builds b ON b.job_id = r.job_id
JOIN workspaces w ON w.id = b.workspace_id
WHERE r.id = @resource_id;

-- name: GetWorkspaceFactsByAppId :maybe
SELECT w.id, w.organization_id, w.owner_id, w.dormant_at, w.user_acl, w.group_acl
FROM workspace_apps app
JOIN workspace_agents a ON a.id = app.agent_id
JOIN workspace_resources r ON r.id = a.resource_id
JOIN workspace_builds b ON b.job_id = r.job_id
JOIN workspaces w ON w.id = b.workspace_id
WHERE app.id = @app_id;

-- name: GetWorkspaceFactsByJobId :maybe
SELECT w.id, w.organization_id, w.owner_id, w.dormant_at, w.user_acl, w.group_acl
FROM provisioner_jobs j JOIN workspaces w ON w.id = j.workspace_id WHERE j.id = @job_id;

-- name: GetTemplateFacts :maybe
SELECT t.id, t.organization_id, t.user_acl, t.group_acl FROM templates t WHERE t.id = @id;

-- name: GetTemplateFactsByVersionId :maybe
-- A version that is not attached yet has no template: only its organization is known.
SELECT v.organization_id, t.id, t.user_acl, t.group_acl
FROM template_versions v LEFT JOIN templates t ON t.id = v.template_id WHERE v.id = @version_id;

-- name: GetTemplateFactsByPresetId :maybe
SELECT v.organization_id, t.id, t.user_acl, t.group_acl
FROM template_version_presets p
JOIN template_versions v ON v.id = p.template_version_id
LEFT JOIN templates t ON t.id = v.template_id
WHERE p.id = @preset_id;

-- name: GetTemplateFactsByJobId :maybe
-- Of an import, or of a dry run (which names its version in its input).
SELECT v.organization_id, t.id, t.user_acl, t.group_acl
FROM provisioner_jobs j
JOIN template_versions v
  ON v.job_id = j.id OR (j.type = 'template_version_dry_run' AND v.id = (j.input ->> 'template_version_id')::uuid)
LEFT JOIN templates t ON t.id = v.template_id
WHERE j.id = @job_id;

-- name: GetTemplateFactsByFileId :many
-- Templates with a version made of this file.
SELECT DISTINCT ON (t.id) t.organization_id, t.id, t.user_acl, t.group_acl
FROM provisioner_jobs j
JOIN template_versions v ON v.job_id = j.id
JOIN templates t ON t.id = v.template_id
WHERE j.file_id = @file_id;

-- name: GetFileFacts :maybe
SELECT f.id, f.created_by FROM files f WHERE f.id = @id;

-- name: GetApiKeyFacts :maybe
SELECT k.id, k.user_id FROM api_keys k WHERE k.id = @id;
