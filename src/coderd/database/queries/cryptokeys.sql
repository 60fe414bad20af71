-- name: GetCryptoKeys :many
-- With their secrets; newest first.
SELECT * FROM crypto_keys WHERE secret IS NOT NULL ORDER BY feature, sequence DESC;

-- name: InsertCryptoKey :exec
-- No number comes twice: rows of deleted keys stay.
INSERT INTO crypto_keys (feature, sequence, secret, starts_at)
SELECT @feature, coalesce(max(k.sequence), 0) + 1, @secret, @starts_at
FROM crypto_keys k WHERE k.feature = @feature;

-- name: UpdateCryptoKeyDeletesAt :exec
UPDATE crypto_keys SET deletes_at = @deletes_at WHERE feature = @feature AND sequence = @sequence;

-- name: DeleteCryptoKeySecret :exec
UPDATE crypto_keys SET secret = NULL WHERE feature = @feature AND sequence = @sequence;
