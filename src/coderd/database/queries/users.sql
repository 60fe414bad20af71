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
