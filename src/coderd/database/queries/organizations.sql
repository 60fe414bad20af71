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
