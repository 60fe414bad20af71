-- What answers about workspaces are made of. The caller's right to read the workspace is decided by the first query of
-- a request; what belongs to its workspaces is then read without asking again.

-- name: ListWorkspaceViews :many
-- A page of living workspaces with their latest builds; `total` counts all that match, whatever the page. The caller's
-- favourites come first, then what runs, then by owner and name.
SELECT
  sqlc.embed(w),
  sqlc.embed(b),
  sqlc.embed(j),
  owner.username AS owner_name,
  owner.avatar_url AS owner_avatar_url,
  o.name AS organization_name,
  t.name AS template_name,
  t.display_name AS template_display_name,
  t.icon AS template_icon,
  t.active_version_id AS template_active_version_id,
  t.allow_user_cancel_workspace_jobs,
  t.require_active_version,
  t.use_classic_parameter_flow,
  t.allow_user_autostart,
  t.allow_user_autostop,
  t.default_ttl_ms,
  t.autostart_days_of_week,
  t.time_til_dormant_autodelete_ms,
  tv.name AS template_version_name,
  coalesce(initiator.username, '')::text AS initiator_name,
  count(*) OVER () AS total
FROM workspaces w
JOIN users owner ON owner.id = w.owner_id
JOIN organizations o ON o.id = w.organization_id
JOIN templates t ON t.id = w.template_id
JOIN workspace_builds b ON b.workspace_id = w.id
  AND b.build_number = (SELECT max(n.build_number) FROM workspace_builds n WHERE n.workspace_id = w.id)
JOIN provisioner_jobs j ON j.id = b.job_id
JOIN template_versions tv ON tv.id = b.template_version_id
LEFT JOIN users initiator ON initiator.id = b.initiator_id
WHERE NOT w.deleted
  AND (sqlc.narg('ids')::uuid[] IS NULL OR w.id = ANY (sqlc.narg('ids')::uuid[]))
  AND (sqlc.narg('owner_id')::uuid IS NULL OR w.owner_id = sqlc.narg('owner_id'))
  AND (sqlc.narg('owner_name')::text IS NULL OR lower(owner.username) = lower(sqlc.narg('owner_name')))
  AND (sqlc.narg('name')::text IS NULL OR strpos(lower(w.name), lower(sqlc.narg('name'))) > 0)
  AND (sqlc.narg('template_name')::text IS NULL OR lower(t.name) = lower(sqlc.narg('template_name')))
  AND (sqlc.narg('organization_id')::uuid IS NULL OR w.organization_id = sqlc.narg('organization_id'))
  AND (NOT @dormant::boolean OR w.dormant_at IS NOT NULL)
  AND (sqlc.narg('outdated')::boolean IS NULL OR (t.active_version_id <> b.template_version_id) = sqlc.narg('outdated'))
  AND (sqlc.narg('last_used_before')::timestamptz IS NULL OR coalesce(w.last_used_at, '0001-01-01Z') <= sqlc.narg('last_used_before'))
  AND (sqlc.narg('last_used_after')::timestamptz IS NULL OR w.last_used_at >= sqlc.narg('last_used_after'))
  AND (sqlc.narg('has_ai_task')::boolean IS NULL OR coalesce(b.has_ai_task, false) = sqlc.narg('has_ai_task'))
  AND (sqlc.narg('has_external_agent')::boolean IS NULL OR coalesce(b.has_external_agent, false) = sqlc.narg('has_external_agent'))
  AND (sqlc.narg('shared')::boolean IS NULL OR (w.user_acl <> '{}' OR w.group_acl <> '{}') = sqlc.narg('shared'))
  AND (sqlc.narg('shared_with_user_id')::uuid IS NULL OR w.user_acl ? sqlc.narg('shared_with_user_id')::text)
  AND (sqlc.narg('shared_with_group_id')::uuid IS NULL OR w.group_acl ? sqlc.narg('shared_with_group_id')::text)
  AND (sqlc.narg('status')::text IS NULL OR sqlc.narg('status') = CASE
    WHEN j.job_status = 'succeeded' THEN CASE b.transition WHEN 'start' THEN 'running' WHEN 'stop' THEN 'stopped' ELSE 'deleted' END
    WHEN j.job_status = 'running' THEN CASE b.transition WHEN 'start' THEN 'starting' WHEN 'stop' THEN 'stopping' ELSE 'deleting' END
    ELSE j.job_status::text
  END)
  AND (cardinality(@param_names::text[]) = 0 OR EXISTS (
    SELECT 1 FROM workspace_build_parameters p WHERE p.workspace_build_id = b.id AND lower(p.name) = ANY (@param_names::text[])
  ))
  AND (cardinality(@param_pairs::text[]) = 0 OR EXISTS (
    SELECT 1 FROM workspace_build_parameters p
    WHERE p.workspace_build_id = b.id AND lower(p.name) || '=' || lower(p.value) = ANY (@param_pairs::text[])
  ))
  AND (cardinality(@agent_statuses::text[]) = 0 OR EXISTS (
    SELECT 1 FROM workspace_resources r JOIN workspace_agents a ON a.resource_id = r.id
    WHERE r.job_id = b.job_id AND NOT a.deleted AND CASE
      WHEN a.first_connected_at IS NULL THEN
        CASE WHEN a.connection_timeout_seconds > 0
          AND a.created_at + a.connection_timeout_seconds * interval '1 second' < @now::timestamptz THEN 'timeout' ELSE 'connecting' END
      WHEN a.disconnected_at > a.last_connected_at THEN 'disconnected'
      WHEN a.last_connected_at + @agent_inactive_seconds::bigint * interval '1 second' < @now::timestamptz THEN 'disconnected'
      ELSE 'connected'
    END = ANY (@agent_statuses::text[])
  ))
  -- @authorize_filter workspace w
ORDER BY
  (w.favorite AND w.owner_id = @caller_id::uuid) DESC,
  (b.transition = 'start' AND j.job_status = 'succeeded') DESC,
  lower(owner.username),
  lower(w.name),
  w.id
LIMIT nullif(@page_limit::bigint, 0) OFFSET @page_offset::bigint;

-- name: GetWorkspaceView :maybe
-- One workspace by id, or by owner and name (the living one before deleted ones, then the newest).
SELECT
  sqlc.embed(w),
  sqlc.embed(b),
  sqlc.embed(j),
  owner.username AS owner_name,
  owner.avatar_url AS owner_avatar_url,
  o.name AS organization_name,
  t.name AS template_name,
  t.display_name AS template_display_name,
  t.icon AS template_icon,
  t.active_version_id AS template_active_version_id,
  t.allow_user_cancel_workspace_jobs,
  t.require_active_version,
  t.use_classic_parameter_flow,
  t.allow_user_autostart,
  t.allow_user_autostop,
  t.default_ttl_ms,
  t.autostart_days_of_week,
  t.time_til_dormant_autodelete_ms,
  tv.name AS template_version_name,
  coalesce(initiator.username, '')::text AS initiator_name
FROM workspaces w
JOIN users owner ON owner.id = w.owner_id
JOIN organizations o ON o.id = w.organization_id
JOIN templates t ON t.id = w.template_id
JOIN workspace_builds b ON b.workspace_id = w.id
  AND b.build_number = (SELECT max(n.build_number) FROM workspace_builds n WHERE n.workspace_id = w.id)
JOIN provisioner_jobs j ON j.id = b.job_id
JOIN template_versions tv ON tv.id = b.template_version_id
LEFT JOIN users initiator ON initiator.id = b.initiator_id
WHERE w.id = sqlc.narg('id')
  OR (
    w.owner_id = sqlc.narg('owner_id') AND lower(w.name) = lower(sqlc.narg('name'))
    AND (NOT w.deleted OR coalesce(sqlc.narg('include_deleted')::boolean, false))
  )
ORDER BY w.deleted, w.created_at DESC
LIMIT 1;

-- name: GetBuildViews :many
-- Builds of one workspace, newest first; one of them by number where it is given.
SELECT
  sqlc.embed(b),
  sqlc.embed(j),
  tv.name AS template_version_name,
  coalesce(initiator.username, '')::text AS initiator_name
FROM workspace_builds b
JOIN provisioner_jobs j ON j.id = b.job_id
JOIN template_versions tv ON tv.id = b.template_version_id
LEFT JOIN users initiator ON initiator.id = b.initiator_id
WHERE b.workspace_id = @workspace_id
  AND (sqlc.narg('id')::uuid IS NULL OR b.id = sqlc.narg('id'))
  AND (sqlc.narg('build_number')::integer IS NULL OR b.build_number = sqlc.narg('build_number'))
  AND (sqlc.narg('since')::timestamptz IS NULL OR b.created_at > sqlc.narg('since'))
  AND (sqlc.narg('before_number')::integer IS NULL OR b.build_number < sqlc.narg('before_number'))
ORDER BY b.build_number DESC
LIMIT nullif(@page_limit::bigint, 0) OFFSET @page_offset::bigint;

-- name: GetResourceViews :many
-- Resources of jobs with their metadata and agents, and of the agents: scripts, log sources, apps with statuses.
-- @type metadata ResourceMetadataJson[]
-- @type agents AgentJson[]
SELECT
  sqlc.embed(r),
  (
    SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY m.id), '[]') FROM workspace_resource_metadata m
    WHERE m.workspace_resource_id = r.id
  ) AS metadata,
  (
    SELECT coalesce(jsonb_agg(
      to_jsonb(a) - 'auth_token' || jsonb_build_object(
        'scripts', (
          SELECT coalesce(jsonb_agg(to_jsonb(s) || jsonb_build_object('last_run', (
            SELECT to_jsonb(st) FROM workspace_agent_script_timings st WHERE st.script_id = s.id ORDER BY st.started_at DESC LIMIT 1
          )) ORDER BY s.display_name, s.id), '[]')
          FROM workspace_agent_scripts s WHERE s.workspace_agent_id = a.id
        ),
        'log_sources', (
          SELECT coalesce(jsonb_agg(to_jsonb(ls) ORDER BY ls.id), '[]')
          FROM workspace_agent_log_sources ls WHERE ls.workspace_agent_id = a.id
        ),
        'apps', (
          SELECT coalesce(jsonb_agg(to_jsonb(app) || jsonb_build_object('statuses', (
            SELECT coalesce(jsonb_agg(to_jsonb(aps) ORDER BY aps.created_at DESC), '[]')
            FROM workspace_app_statuses aps WHERE aps.app_id = app.id
          )) ORDER BY app.display_order, lower(app.display_name), app.slug), '[]')
          FROM workspace_apps app WHERE app.agent_id = a.id
        )
      ) ORDER BY a.display_order, lower(a.name)
    ), '[]')
    FROM workspace_agents a WHERE a.resource_id = r.id AND (@with_deleted_agents::boolean OR NOT a.deleted)
  ) AS agents
FROM workspace_resources r
WHERE r.job_id = ANY (@job_ids::uuid[])
ORDER BY r.name, r.type, r.id;
