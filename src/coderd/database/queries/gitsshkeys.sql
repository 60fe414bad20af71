-- name: GetGitSshKey :one
SELECT * FROM git_ssh_keys WHERE user_id = @user_id;

-- name: UpsertGitSshKey :one
INSERT INTO git_ssh_keys (user_id, created_at, updated_at, private_key, public_key)
VALUES (@user_id, @now::timestamptz, @now, @private_key, @public_key)
ON CONFLICT (user_id) DO UPDATE
SET updated_at = excluded.updated_at, private_key = excluded.private_key, public_key = excluded.public_key
RETURNING *;
