-- name: GetUserConfigs :many
SELECT * FROM user_configs WHERE user_id = @user_id AND key = ANY(@keys::text[]) ORDER BY key;

-- name: UpsertUserConfig :one
INSERT INTO user_configs (user_id, key, value) VALUES (@user_id, @key, @value)
ON CONFLICT (user_id, key) DO UPDATE SET value = excluded.value
RETURNING *;
