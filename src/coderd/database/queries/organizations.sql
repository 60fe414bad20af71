-- name: GetDefaultOrganization :one
SELECT * FROM organizations WHERE is_default;

-- name: GetOrganizationById :one
SELECT * FROM organizations WHERE id = @id;

-- name: GetOrganizationByName :one
SELECT * FROM organizations WHERE NOT deleted AND lower(name) = lower(@name);

-- name: GetOrganizations :many
SELECT * FROM organizations o
WHERE NOT o.deleted
-- @authorize_filter organization o
ORDER BY lower(o.name);

-- name: InsertOrganizationMember :one
INSERT INTO organization_members (organization_id, user_id, roles, created_at, updated_at)
VALUES (@organization_id, @user_id, @roles, @created_at, @updated_at)
RETURNING *;

-- name: GetOrganizationsOfUser :many
SELECT * FROM organizations o
WHERE NOT o.deleted
  AND EXISTS (SELECT FROM organization_members m WHERE m.user_id = @user_id AND m.organization_id = o.id)
-- @authorize_filter organization o
ORDER BY lower(o.name);

-- name: GetOrganizationMembers :many
-- Members with their users, by name; null ids do not restrict.
SELECT sqlc.embed(m), sqlc.embed(u)
FROM organization_members m JOIN users u ON u.id = m.user_id AND NOT u.deleted
WHERE m.organization_id = @organization_id
  AND (sqlc.narg('user_id')::uuid IS NULL OR m.user_id = sqlc.narg('user_id'))
  AND (@include_system::boolean OR NOT u.is_system)
  AND (sqlc.narg('github_com_user_id')::bigint IS NULL OR u.github_com_user_id = sqlc.narg('github_com_user_id'))
  AND (@search::text = '' OR u.email ILIKE '%' || @search || '%' OR u.username ILIKE '%' || @search || '%')
  AND (
    sqlc.narg('after_id')::uuid IS NULL
    OR lower(u.username) > (SELECT lower(a.username) FROM users a WHERE a.id = sqlc.narg('after_id'))
  )
-- @authorize_filter organization_member m
ORDER BY lower(u.username)
LIMIT NULLIF(@limit_count::integer, 0)
OFFSET @offset_count::integer;

-- name: CountOrganizationMembers :one
SELECT count(*) AS count
FROM organization_members m JOIN users u ON u.id = m.user_id AND NOT u.deleted
WHERE m.organization_id = @organization_id
  AND NOT u.is_system
  AND (@search::text = '' OR u.email ILIKE '%' || @search || '%' OR u.username ILIKE '%' || @search || '%')
-- @authorize_filter organization_member m
;

-- name: UpdateOrganizationMemberRoles :one
UPDATE organization_members SET roles = @roles, updated_at = @updated_at
WHERE organization_id = @organization_id AND user_id = @user_id
RETURNING *;

-- name: DeleteOrganizationMember :exec
DELETE FROM organization_members WHERE organization_id = @organization_id AND user_id = @user_id;
