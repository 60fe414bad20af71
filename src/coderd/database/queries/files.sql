-- name: GetFileIdByHash :maybe
SELECT id FROM files WHERE hash = @hash AND created_by = @created_by;

-- name: InsertFile :one
-- One row for each content and creator: of several at once, all get the id of the first.
INSERT INTO files (id, hash, created_at, created_by, mimetype, data)
VALUES (@id, @hash, @created_at, @created_by, @mimetype, @data)
ON CONFLICT (hash, created_by) DO UPDATE SET hash = excluded.hash
RETURNING id, (id = @id)::boolean AS is_new;

-- name: GetFileById :one
SELECT * FROM files WHERE id = @id;

-- name: GetFileInfo :one
-- All but the bytes.
SELECT id, hash, created_at, created_by, mimetype FROM files WHERE id = @id;
