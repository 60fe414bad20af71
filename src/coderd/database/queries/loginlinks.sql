-- name: InsertLoginLink :exec
INSERT INTO login_links (hashed_secret, user_id, created_at, expires_at)
VALUES (@hashed_secret, @user_id, @created_at, @expires_at);

-- name: GetLoginLink :maybe
-- A link that still works.
SELECT * FROM login_links WHERE hashed_secret = @hashed_secret AND used_at IS NULL AND expires_at > @now::timestamptz;

-- name: SpendLoginLink :maybe
-- Marks it used; no row if it was used before or is too old, so that two clicks make one session.
UPDATE login_links SET used_at = @now::timestamptz
WHERE hashed_secret = @hashed_secret AND used_at IS NULL AND expires_at > @now
RETURNING *;
