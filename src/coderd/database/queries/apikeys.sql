-- name: GetAuthentication :maybe
-- All that a request needs to know of its caller, in one statement: the key, its user, memberships, custom roles, groups
-- (explicit ones: Everyone follows from the memberships).
-- @type memberships MembershipFacts[]
-- @type custom_roles CustomRoleFacts[]
SELECT
  sqlc.embed(k),
  sqlc.embed(u),
  coalesce((
    SELECT jsonb_agg(jsonb_build_object(
      'organization_id', m.organization_id, 'roles', m.roles, 'sharing', o.shareable_workspace_owners) ORDER BY m.organization_id)
    FROM organization_members m JOIN organizations o ON o.id = m.organization_id AND NOT o.deleted
    WHERE m.user_id = u.id
  ), '[]') AS memberships,
  ARRAY(SELECT g.group_id FROM group_members g WHERE g.user_id = u.id ORDER BY g.group_id)::uuid[] AS groups,
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
FROM api_keys k JOIN users u ON u.id = k.user_id
WHERE k.id = @id;

-- name: GetUserAuthorization :maybe
-- The same without a key: a user's roles, memberships, groups and custom roles.
-- @type memberships MembershipFacts[]
-- @type custom_roles CustomRoleFacts[]
SELECT
  sqlc.embed(u),
  coalesce((
    SELECT jsonb_agg(jsonb_build_object(
      'organization_id', m.organization_id, 'roles', m.roles, 'sharing', o.shareable_workspace_owners) ORDER BY m.organization_id)
    FROM organization_members m JOIN organizations o ON o.id = m.organization_id AND NOT o.deleted
    WHERE m.user_id = u.id
  ), '[]') AS memberships,
  ARRAY(SELECT g.group_id FROM group_members g WHERE g.user_id = u.id ORDER BY g.group_id)::uuid[] AS groups,
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
FROM users u
WHERE u.id = @id;

-- name: GetApiKeyById :one
SELECT * FROM api_keys WHERE id = @id;

-- name: InsertApiKey :one
INSERT INTO api_keys (
  id, hashed_secret, user_id, login_type, token_name, scopes, allow_list, lifetime_seconds, ip_address,
  created_at, updated_at, expires_at
)
VALUES (
  @id, @hashed_secret, @user_id, @login_type, @token_name, @scopes, @allow_list, @lifetime_seconds, @ip_address,
  @created_at, @updated_at, @expires_at
)
RETURNING *;

-- name: UpdateApiKeyUse :exec
UPDATE api_keys SET last_used = @last_used, expires_at = @expires_at, ip_address = @ip_address, updated_at = @last_used
WHERE id = @id;

-- name: DeleteApiKeyById :exec
DELETE FROM api_keys WHERE id = @id;

-- name: GetKeyByName :one
SELECT * FROM api_keys WHERE user_id = @user_id AND token_name = @token_name AND login_type = 'token';

-- name: GetTokens :many
-- API tokens with the names of their owners; a null user means everybody's.
SELECT sqlc.embed(k), u.username AS owner_name
FROM api_keys k JOIN users u ON u.id = k.user_id
WHERE k.login_type = 'token'
  AND (sqlc.narg('user_id')::uuid IS NULL OR k.user_id = sqlc.narg('user_id'))
  AND (@include_expired::boolean OR k.expires_at > @now::timestamptz)
-- @authorize_filter api_key k
ORDER BY lower(k.token_name), k.id;

-- name: ExpireKey :exec
UPDATE api_keys SET expires_at = least(expires_at, @now::timestamptz), updated_at = @now WHERE id = @id;

-- name: DeleteKeysOfUser :exec
DELETE FROM api_keys WHERE user_id = @user_id;

-- name: DeleteAppKeysOfUser :exec
-- Sessions of workspace apps; they end with the session that made them.
DELETE FROM api_keys
WHERE user_id = @user_id AND scopes = ARRAY['coder:application_connect']::text[] AND login_type <> 'token';

-- name: UpdateKeysUse :exec
-- One batch of what the cache of last uses has gathered.
UPDATE api_keys k
SET last_used = greatest(coalesce(k.last_used, b.last_used), b.last_used),
  expires_at = greatest(k.expires_at, b.expires_at),
  ip_address = b.ip_address,
  updated_at = greatest(k.updated_at, b.last_used)
FROM (
  SELECT unnest(@ids::text[]) AS id, unnest(@last_used::timestamptz[]) AS last_used,
    unnest(@expires_at::timestamptz[]) AS expires_at, unnest(@ip_addresses::inet[]) AS ip_address
) b
WHERE k.id = b.id AND k.expires_at > b.last_used;

-- name: DeleteSessionsOfUser :exec
-- Sessions end with a suspension; tokens that he made stay, and are refused while he is suspended.
DELETE FROM api_keys WHERE user_id = @user_id AND login_type <> 'token';
