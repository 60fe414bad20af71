-- name: GetAgentAuthentication :maybe
-- The agent of a token, with its owner, if it belongs to the latest build of its workspace and that build's job is done;
-- or to the start that is being stopped: shutdown scripts report until the machine is gone.
-- @type memberships MembershipFacts[]
-- @type custom_roles CustomRoleFacts[]
SELECT
  a.id AS agent_id,
  a.api_key_scope,
  w.id AS workspace_id,
  w.template_id,
  b.id AS build_id,
  b.template_version_id,
  sqlc.embed(u),
  coalesce((
    SELECT jsonb_agg(jsonb_build_object('organization_id', m.organization_id, 'roles', m.roles) ORDER BY m.organization_id)
    FROM organization_members m JOIN organizations o ON o.id = m.organization_id AND NOT o.deleted
    WHERE m.user_id = u.id
  ), '[]') AS memberships,
  ARRAY(SELECT g.group_id FROM user_groups g WHERE g.user_id = u.id ORDER BY g.group_id)::uuid[] AS groups,
  coalesce((
    SELECT jsonb_agg(jsonb_build_object(
      'organization_id', r.organization_id, 'name', r.name, 'site_permissions', r.site_permissions,
      'org_permissions', r.org_permissions, 'user_permissions', r.user_permissions,
      'member_permissions', r.member_permissions) ORDER BY r.organization_id, r.name)
    FROM custom_roles r
    WHERE (r.organization_id IS NULL AND r.name = ANY (u.rbac_roles))
      OR EXISTS (
        SELECT FROM organization_members m
        WHERE m.user_id = u.id AND m.organization_id = r.organization_id AND r.name = ANY (m.roles))
  ), '[]') AS custom_roles
FROM workspace_agents a
JOIN workspace_resources r ON r.id = a.resource_id
JOIN workspace_builds b ON b.job_id = r.job_id
JOIN provisioner_jobs j ON j.id = b.job_id
JOIN workspaces w ON w.id = b.workspace_id
JOIN users u ON u.id = w.owner_id
JOIN workspace_builds latest ON latest.workspace_id = w.id
  AND latest.build_number = (SELECT max(l.build_number) FROM workspace_builds l WHERE l.workspace_id = w.id)
JOIN provisioner_jobs lj ON lj.id = latest.job_id
WHERE a.auth_token = @auth_token
  AND NOT a.deleted
  AND NOT w.deleted
  AND j.completed_at IS NOT NULL
  AND (
    b.build_number = latest.build_number
    OR (
      b.transition = 'start' AND j.job_status = 'succeeded'
      AND latest.build_number = b.build_number + 1 AND latest.transition = 'stop' AND lj.completed_at IS NULL
    )
  )
ORDER BY a.created_at DESC
LIMIT 1;

-- name: GetProvisionerKeyBySecret :maybe
SELECT * FROM provisioner_keys WHERE hashed_secret = @hashed_secret AND hashed_secret <> '';
