-- Keys of external daemons. Only the hash of the secret is kept.

-- name: InsertProvisionerKey :one
INSERT INTO provisioner_keys (id, organization_id, name, hashed_secret, tags, created_at)
VALUES (@id, @organization_id, @name, @hashed_secret, @tags, @created_at)
RETURNING *;

-- name: GetProvisionerKeyByHash :maybe
SELECT * FROM provisioner_keys WHERE hashed_secret = @hashed_secret AND hashed_secret <> '';

-- name: GetProvisionerKeyByName :one
SELECT * FROM provisioner_keys WHERE organization_id = @organization_id AND lower(name) = lower(@name);

-- name: GetProvisionerKeyById :one
SELECT * FROM provisioner_keys WHERE id = @id;

-- name: GetOrganizationProvisionerKeys :many
SELECT * FROM provisioner_keys k
WHERE k.organization_id = @organization_id AND k.hashed_secret <> ''
  -- @authorize_filter provisioner_daemon k
ORDER BY k.created_at, k.name;

-- name: DeleteProvisionerKeyById :exec
DELETE FROM provisioner_keys WHERE id = @id;
