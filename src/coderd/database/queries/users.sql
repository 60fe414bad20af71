-- name: GetUserById :one
SELECT * FROM users WHERE id = @id;

-- name: GetUserByEmailOrUsername :one
-- Living users only; both are compared ignoring case.
SELECT * FROM users
WHERE NOT deleted AND (lower(username) = lower(@username) OR (email <> '' AND lower(email) = lower(@email)))
LIMIT 1;

-- name: GetUsersByIds :many
SELECT * FROM users WHERE id = ANY (@ids::uuid[]);

-- name: GetUserCount :one
-- Living people; system users are counted on request.
SELECT count(*) AS count FROM users WHERE NOT deleted AND (@include_system::boolean OR NOT is_system);

-- name: InsertUser :one
INSERT INTO users (
  id, email, username, name, avatar_url, status, login_type, rbac_roles, hashed_password, is_service_account,
  created_at, updated_at
)
VALUES (
  @id, @email, @username, @name, @avatar_url, @status, @login_type, @rbac_roles, @hashed_password, @is_service_account,
  @created_at, @updated_at
)
RETURNING *;

-- name: UpdateUserDeletedById :exec
-- A trigger ends the user's keys and memberships.
UPDATE users SET deleted = true, updated_at = @updated_at WHERE id = @id;

-- name: UpdateUserStatus :one
UPDATE users SET status = @status, updated_at = @updated_at, last_seen_at = coalesce(sqlc.narg('last_seen_at'), last_seen_at)
WHERE id = @id
RETURNING *;

-- name: UpdateUserLastSeenAt :one
UPDATE users SET last_seen_at = @last_seen_at, updated_at = @updated_at WHERE id = @id RETURNING *;

-- name: GetUserWithOrganizations :one
-- The user and the organizations that he belongs to.
SELECT
  sqlc.embed(u),
  ARRAY(SELECT m.organization_id FROM organization_members m WHERE m.user_id = u.id ORDER BY m.organization_id)::uuid[] AS organization_ids
FROM users u
WHERE u.id = @id;

-- name: GetUserByUsernameWithOrganizations :one
-- Living users only; the name is compared ignoring case.
SELECT
  sqlc.embed(u),
  ARRAY(SELECT m.organization_id FROM organization_members m WHERE m.user_id = u.id ORDER BY m.organization_id)::uuid[] AS organization_ids
FROM users u
WHERE NOT u.deleted AND lower(u.username) = lower(@username);

-- name: GetUsers :many
-- A page of living users by name. Empty lists do not restrict. `after_id` is the last user of the page before.
SELECT
  sqlc.embed(u),
  ARRAY(SELECT m.organization_id FROM organization_members m WHERE m.user_id = u.id ORDER BY m.organization_id)::uuid[] AS organization_ids
FROM users u
WHERE NOT u.deleted
  AND NOT u.is_system
  AND (@search::text = '' OR u.email ILIKE '%' || @search || '%' OR u.username ILIKE '%' || @search || '%')
  AND (@name::text = '' OR u.name ILIKE '%' || @name || '%')
  AND (cardinality(@statuses::user_status[]) = 0 OR u.status = ANY (@statuses))
  AND (cardinality(@login_types::login_type[]) = 0 OR u.login_type = ANY (@login_types))
  AND (cardinality(@roles::text[]) = 0 OR u.rbac_roles && @roles OR 'member' = ANY (@roles))
  AND (sqlc.narg('last_seen_before')::timestamptz IS NULL OR coalesce(u.last_seen_at, '0001-01-01T00:00:00Z') <= sqlc.narg('last_seen_before'))
  AND (sqlc.narg('last_seen_after')::timestamptz IS NULL OR coalesce(u.last_seen_at, '0001-01-01T00:00:00Z') >= sqlc.narg('last_seen_after'))
  AND (sqlc.narg('created_before')::timestamptz IS NULL OR u.created_at <= sqlc.narg('created_before'))
  AND (sqlc.narg('created_after')::timestamptz IS NULL OR u.created_at >= sqlc.narg('created_after'))
  AND (sqlc.narg('github_com_user_id')::bigint IS NULL OR u.github_com_user_id = sqlc.narg('github_com_user_id'))
  AND (sqlc.narg('is_service_account')::boolean IS NULL OR u.is_service_account = sqlc.narg('is_service_account'))
  AND (
    sqlc.narg('after_id')::uuid IS NULL
    OR lower(u.username) > (SELECT lower(a.username) FROM users a WHERE a.id = sqlc.narg('after_id'))
  )
-- @authorize_filter user u
ORDER BY lower(u.username)
LIMIT NULLIF(@limit_count::integer, 0)
OFFSET @offset_count::integer;

-- name: CountUsers :one
-- How many users the same filter finds, whatever the page.
SELECT count(*) AS count
FROM users u
WHERE NOT u.deleted
  AND NOT u.is_system
  AND (@search::text = '' OR u.email ILIKE '%' || @search || '%' OR u.username ILIKE '%' || @search || '%')
  AND (@name::text = '' OR u.name ILIKE '%' || @name || '%')
  AND (cardinality(@statuses::user_status[]) = 0 OR u.status = ANY (@statuses))
  AND (cardinality(@login_types::login_type[]) = 0 OR u.login_type = ANY (@login_types))
  AND (cardinality(@roles::text[]) = 0 OR u.rbac_roles && @roles OR 'member' = ANY (@roles))
  AND (sqlc.narg('last_seen_before')::timestamptz IS NULL OR coalesce(u.last_seen_at, '0001-01-01T00:00:00Z') <= sqlc.narg('last_seen_before'))
  AND (sqlc.narg('last_seen_after')::timestamptz IS NULL OR coalesce(u.last_seen_at, '0001-01-01T00:00:00Z') >= sqlc.narg('last_seen_after'))
  AND (sqlc.narg('created_before')::timestamptz IS NULL OR u.created_at <= sqlc.narg('created_before'))
  AND (sqlc.narg('created_after')::timestamptz IS NULL OR u.created_at >= sqlc.narg('created_after'))
  AND (sqlc.narg('github_com_user_id')::bigint IS NULL OR u.github_com_user_id = sqlc.narg('github_com_user_id'))
  AND (sqlc.narg('is_service_account')::boolean IS NULL OR u.is_service_account = sqlc.narg('is_service_account'))
-- @authorize_filter user u
;

-- name: UpdateUserProfile :one
UPDATE users SET username = @username, name = @name, updated_at = @updated_at WHERE id = @id RETURNING *;

-- name: UpdateUserRoles :one
UPDATE users SET rbac_roles = @rbac_roles, updated_at = @updated_at WHERE id = @id RETURNING *;

-- name: UpdateUserHashedPassword :exec
UPDATE users SET hashed_password = @hashed_password, updated_at = @updated_at WHERE id = @id;

-- name: LockUser :maybe
-- Holds the row until the transaction ends, so that nothing of his is made while he is deleted.
SELECT * FROM users WHERE id = @id FOR UPDATE;

-- name: CountLivingWorkspacesOfUser :one
SELECT count(*) AS count FROM workspaces WHERE owner_id = @owner_id AND NOT deleted;

-- name: UpdateUsersLastSeen :exec
-- One batch of what the cache of last uses has gathered.
UPDATE users u SET last_seen_at = greatest(coalesce(u.last_seen_at, b.seen), b.seen)
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@seen::timestamptz[]) AS seen) b
WHERE u.id = b.id;
