-- Templates with their organization, creator, and how many people use them.

-- name: InsertTemplate :one
INSERT INTO templates (
  id, organization_id, name, display_name, description, icon, provisioner, active_version_id, created_by, created_at,
  updated_at, user_acl, group_acl, default_ttl_ms, activity_bump_ms, failure_ttl_ms, time_til_dormant_ms,
  time_til_dormant_autodelete_ms, autostop_requirement_days_of_week, autostop_requirement_weeks,
  autostart_days_of_week, allow_user_autostart, allow_user_autostop, allow_user_cancel_workspace_jobs,
  require_active_version, max_port_share_level, use_classic_parameter_flow, cors_behavior
)
VALUES (
  @id, @organization_id, @name, @display_name, @description, @icon, @provisioner, @active_version_id, @created_by,
  @created_at, @created_at, @user_acl, @group_acl, @default_ttl_ms, @activity_bump_ms, @failure_ttl_ms,
  @time_til_dormant_ms, @time_til_dormant_autodelete_ms, @autostop_requirement_days_of_week,
  @autostop_requirement_weeks, @autostart_days_of_week, @allow_user_autostart, @allow_user_autostop,
  @allow_user_cancel_workspace_jobs, @require_active_version, @max_port_share_level, @use_classic_parameter_flow,
  @cors_behavior
)
RETURNING *;

-- name: GetTemplateById :one
-- Also a deleted one: old builds name it.
SELECT * FROM templates WHERE id = @id;

-- name: LockTemplate :one
-- As above; nobody else changes it until the transaction ends.
SELECT * FROM templates WHERE id = @id FOR UPDATE;

-- name: GetTemplateByName :one
SELECT * FROM templates
WHERE organization_id = @organization_id AND lower(name) = lower(@name) AND NOT deleted;

-- name: GetTemplates :many
-- The most used first. Null and empty arguments do not restrict.
SELECT sqlc.embed(t), o.name AS organization_name, o.display_name AS organization_display_name,
  o.icon AS organization_icon, u.username AS creator_username, coalesce(used.owners, 0)::int AS active_user_count
FROM templates t
JOIN organizations o ON o.id = t.organization_id
JOIN users u ON u.id = t.created_by
LEFT JOIN LATERAL (
  SELECT count(DISTINCT w.owner_id) AS owners FROM workspaces w WHERE w.template_id = t.id AND NOT w.deleted
) used ON true
WHERE (sqlc.narg('deleted')::boolean IS NULL OR t.deleted = sqlc.narg('deleted'))
  AND (sqlc.narg('deprecated')::boolean IS NULL OR (t.deprecated <> '') = sqlc.narg('deprecated'))
  AND (cardinality(@ids::uuid[]) = 0 OR t.id = ANY (@ids::uuid[]))
  AND (sqlc.narg('organization_id')::uuid IS NULL OR t.organization_id = sqlc.narg('organization_id'))
  AND (sqlc.narg('author_id')::uuid IS NULL OR t.created_by = sqlc.narg('author_id'))
  AND (@author::text = '' OR lower(u.username) = lower(@author))
  AND (@exact_name::text = '' OR lower(t.name) = lower(@exact_name))
  AND (@exact_display_name::text = '' OR lower(t.display_name) = lower(@exact_display_name))
  AND (@fuzzy_name::text = '' OR strpos(lower(t.name), lower(@fuzzy_name)) > 0)
  AND (@fuzzy_display_name::text = '' OR strpos(lower(t.display_name), lower(@fuzzy_display_name)) > 0)
  AND (sqlc.narg('has_ai_task')::boolean IS NULL OR coalesce((
    SELECT v.has_ai_task FROM template_versions v WHERE v.id = t.active_version_id), false) = sqlc.narg('has_ai_task'))
  AND (sqlc.narg('has_external_agent')::boolean IS NULL OR coalesce((
    SELECT v.has_external_agent FROM template_versions v WHERE v.id = t.active_version_id), false)
    = sqlc.narg('has_external_agent'))
-- @authorize_filter template t
ORDER BY active_user_count DESC, lower(t.name), t.id;

-- name: GetTemplateBuildTimes :many
-- Milliseconds of the newest 100 good builds of each template and transition.
SELECT t.id::uuid AS template_id, tr.transition::workspace_transition AS transition,
  coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY newest.ms), 0)::bigint AS p50,
  coalesce(percentile_disc(0.95) WITHIN GROUP (ORDER BY newest.ms), 0)::bigint AS p95
FROM unnest(@template_ids::uuid[]) AS t (id)
CROSS JOIN unnest(enum_range(NULL::workspace_transition)) AS tr (transition)
CROSS JOIN LATERAL (
  SELECT (extract(epoch FROM j.completed_at - j.started_at) * 1000)::bigint AS ms
  FROM template_versions v
  JOIN workspace_builds b ON b.template_version_id = v.id
  JOIN provisioner_jobs j ON j.id = b.job_id
  WHERE v.template_id = t.id AND b.transition = tr.transition
    AND j.job_status = 'succeeded' AND j.started_at IS NOT NULL
  ORDER BY b.created_at DESC
  LIMIT 100
) newest
GROUP BY t.id, tr.transition;

-- name: UpdateTemplate :one
UPDATE templates SET
  name = @name, display_name = @display_name, description = @description, icon = @icon, deprecated = @deprecated,
  user_acl = @user_acl, group_acl = @group_acl, default_ttl_ms = @default_ttl_ms,
  activity_bump_ms = @activity_bump_ms, failure_ttl_ms = @failure_ttl_ms, time_til_dormant_ms = @time_til_dormant_ms,
  time_til_dormant_autodelete_ms = @time_til_dormant_autodelete_ms,
  autostop_requirement_days_of_week = @autostop_requirement_days_of_week,
  autostop_requirement_weeks = @autostop_requirement_weeks, autostart_days_of_week = @autostart_days_of_week,
  allow_user_autostart = @allow_user_autostart, allow_user_autostop = @allow_user_autostop,
  allow_user_cancel_workspace_jobs = @allow_user_cancel_workspace_jobs,
  require_active_version = @require_active_version, max_port_share_level = @max_port_share_level,
  use_classic_parameter_flow = @use_classic_parameter_flow, cors_behavior = @cors_behavior,
  disable_module_cache = @disable_module_cache, updated_at = @updated_at
WHERE id = @id
RETURNING *;

-- name: UpdateTemplateActiveVersion :one
UPDATE templates SET active_version_id = @active_version_id, updated_at = @updated_at WHERE id = @id RETURNING *;

-- name: DeleteTemplate :one
UPDATE templates SET deleted = true, updated_at = @updated_at WHERE id = @id RETURNING *;

-- name: CountWorkspacesOfTemplate :one
-- Whoever owns them, but those that wait to be claimed.
SELECT count(*) AS count FROM workspaces
WHERE template_id = @id AND NOT deleted AND owner_id <> 'c42fdf75-3097-471c-8c33-fb52454d81c0';

-- name: TouchWorkspacesOfTemplate :exec
UPDATE workspaces SET last_used_at = @now
WHERE template_id = @id AND NOT deleted AND owner_id <> 'c42fdf75-3097-471c-8c33-fb52454d81c0';

-- name: UpdateDormantWorkspacesOfTemplate :exec
-- When dormant workspaces are deleted follows the template; `restart` lets the time begin now. 0 means never.
UPDATE workspaces SET
  dormant_at = CASE WHEN @restart::boolean THEN @now ELSE dormant_at END,
  deleting_at = CASE WHEN @autodelete_ms::bigint > 0 THEN
    (CASE WHEN @restart THEN @now ELSE dormant_at END) + @autodelete_ms * interval '1 millisecond'
  END
WHERE template_id = @id AND NOT deleted AND dormant_at IS NOT NULL
  AND owner_id <> 'c42fdf75-3097-471c-8c33-fb52454d81c0';

-- name: UpdateTemplateAcl :one
UPDATE templates SET user_acl = @user_acl, group_acl = @group_acl, updated_at = @updated_at WHERE id = @id RETURNING *;

-- name: GetTemplateAclUsers :many
SELECT sqlc.embed(u),
  ARRAY(SELECT m.organization_id FROM organization_members m WHERE m.user_id = u.id ORDER BY m.organization_id)::uuid[] AS organization_ids
FROM users u WHERE u.id = ANY (@ids::uuid[]) AND NOT u.deleted ORDER BY lower(u.username);

-- name: GetAclCandidates :many
-- Members of an organization who can be named in its templates' access lists.
SELECT sqlc.embed(u) FROM users u JOIN organization_members m ON m.user_id = u.id
WHERE m.organization_id = @organization_id AND NOT u.deleted AND NOT u.is_system AND u.status <> 'suspended'
ORDER BY lower(u.username) LIMIT @max::int;

-- name: GetGroupIdsOfOrganization :many
SELECT id FROM groups WHERE organization_id = @organization_id ORDER BY name;

-- name: GetWorkspacesToReschedule :many
-- Living workspaces of a template with their completed starts, whose stops and starts follow the template.
SELECT w.id, w.autostart_schedule, w.ttl_ms, b.id AS build_id, b.deadline, b.max_deadline, j.completed_at,
  o.quiet_hours_schedule
FROM workspaces w
JOIN users o ON o.id = w.owner_id
JOIN workspace_builds b ON b.workspace_id = w.id
  AND b.build_number = (SELECT max(n.build_number) FROM workspace_builds n WHERE n.workspace_id = w.id)
JOIN provisioner_jobs j ON j.id = b.job_id
WHERE w.template_id = @id AND NOT w.deleted AND w.owner_id <> 'c42fdf75-3097-471c-8c33-fb52454d81c0'
  AND b.transition = 'start' AND j.job_status = 'succeeded';

-- name: GetSchedulesOfTemplate :many
SELECT id, autostart_schedule FROM workspaces
WHERE template_id = @id AND NOT deleted AND autostart_schedule IS NOT NULL
  AND owner_id <> 'c42fdf75-3097-471c-8c33-fb52454d81c0';

-- name: ClearNextStartsOfTemplate :exec
UPDATE workspaces SET next_start_at = NULL WHERE template_id = @id AND next_start_at IS NOT NULL;

-- name: SetNextStarts :exec
UPDATE workspaces w SET next_start_at = n.next_start_at
FROM unnest(@ids::uuid[], @next_start_ats::timestamptz[]) AS n (id, next_start_at)
WHERE w.id = n.id AND w.template_id = @template_id;

-- name: SetDeadlines :exec
UPDATE workspace_builds
SET deadline = sqlc.narg('deadline'), max_deadline = sqlc.narg('max_deadline'), updated_at = @now WHERE id = @build_id;
