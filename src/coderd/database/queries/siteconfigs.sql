-- name: GetSiteConfig :maybe
SELECT value FROM site_configs WHERE key = @key;

-- name: UpsertSiteConfig :exec
INSERT INTO site_configs (key, value) VALUES (@key, @value)
ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: InsertSiteConfigIfAbsent :one
-- The value that stands: given, or what was there before. For secrets that replicas make at first start.
INSERT INTO site_configs (key, value) VALUES (@key, @value)
ON CONFLICT (key) DO UPDATE SET value = site_configs.value
RETURNING value;
