-- What users change about their workspaces beyond builds, and what is told of how long builds took.

-- name: UpdateWorkspaceDormancy :exec
UPDATE workspaces
SET dormant_at = sqlc.narg('dormant_at'), deleting_at = sqlc.narg('deleting_at'),
  last_used_at = coalesce(sqlc.narg('last_used_at'), last_used_at), updated_at = @now
WHERE id = @id;

-- name: UpdateBuildDeadline :exec
UPDATE workspace_builds SET deadline = @deadline, updated_at = @now WHERE id = @id;

-- name: UpdateWorkspaceNextStart :exec
UPDATE workspaces SET next_start_at = sqlc.narg('next_start_at') WHERE id = @id;

-- name: LockWorkspaceToShare :one
SELECT * FROM workspaces WHERE id = @id FOR UPDATE;

-- name: UpdateWorkspaceAcl :exec
UPDATE workspaces SET user_acl = @user_acl, group_acl = @group_acl, updated_at = @now WHERE id = @id;

-- name: GetUsersOfAcl :many
SELECT id, username, name, avatar_url FROM users WHERE id = ANY (@ids::uuid[]) AND NOT deleted ORDER BY lower(username);

-- name: GetGroupsOfAcl :many
-- Only of the workspace's own organization.
SELECT sqlc.embed(g), o.name AS organization_name, o.display_name AS organization_display_name
FROM groups g JOIN organizations o ON o.id = g.organization_id
WHERE g.id = ANY (@ids::uuid[]) AND g.organization_id = @organization_id ORDER BY g.name;

-- name: GetGroupNamesOfAcl :many
SELECT id, name, avatar_url FROM groups WHERE id = ANY (@ids::uuid[]);

-- name: GetGroupMembersOfAcl :many
SELECT ug.group_id, sqlc.embed(u)
FROM user_groups ug JOIN users u ON u.id = ug.user_id
WHERE ug.group_id = ANY (@group_ids::uuid[]) AND NOT u.deleted ORDER BY lower(u.username);

-- name: GetAutofillParameters :many
-- Values that the user gave for parameters which the template's active version still has, newest first.
SELECT DISTINCT ON (p.name) p.name, p.value
FROM workspace_build_parameters p
JOIN workspace_builds b ON b.id = p.workspace_build_id
JOIN workspaces w ON w.id = b.workspace_id
JOIN templates t ON t.id = w.template_id
JOIN template_version_parameters v ON v.template_version_id = t.active_version_id AND v.name = p.name
WHERE w.owner_id = @owner_id AND w.template_id = @template_id AND b.transition = 'start' AND NOT v.ephemeral
ORDER BY p.name, b.created_at DESC;

-- name: GetScriptTimings :many
SELECT sqlc.embed(t), s.display_name, a.id AS agent_id, a.name AS agent_name
FROM workspace_resources r
JOIN workspace_agents a ON a.resource_id = r.id
JOIN workspace_agent_scripts s ON s.workspace_agent_id = a.id
JOIN workspace_agent_script_timings t ON t.script_id = s.id
WHERE r.job_id = @job_id ORDER BY t.started_at;

-- name: GetAgentConnectTimes :many
SELECT a.id, a.name, a.created_at, a.first_connected_at
FROM workspace_resources r JOIN workspace_agents a ON a.resource_id = r.id
WHERE r.job_id = @job_id AND a.first_connected_at IS NOT NULL ORDER BY a.first_connected_at;
