-- Daemons: who is or was connected.

-- name: UpsertProvisionerDaemon :one
INSERT INTO provisioner_daemons (
  id, organization_id, key_id, name, provisioners, tags, replica_id, version, api_version, created_at, last_seen_at
)
VALUES (
  @id, @organization_id, @key_id, @name, @provisioners, @tags, sqlc.narg('replica_id'), @version, @api_version, @now, @now
)
ON CONFLICT (organization_id, name, lower(coalesce(tags ->> 'owner', ''))) DO UPDATE SET
  key_id = excluded.key_id, provisioners = excluded.provisioners, tags = excluded.tags,
  replica_id = excluded.replica_id, version = excluded.version, api_version = excluded.api_version,
  last_seen_at = excluded.last_seen_at
RETURNING *;

-- name: UpdateProvisionerDaemonLastSeen :exec
UPDATE provisioner_daemons SET last_seen_at = @last_seen_at
WHERE id = @id AND (last_seen_at IS NULL OR last_seen_at < @last_seen_at);

-- name: GetProvisionerDaemonById :one
SELECT * FROM provisioner_daemons WHERE id = @id;

-- name: GetOrganizationDaemons :many
-- Newest first, with the key's name, the job at hand and the one before it.
SELECT sqlc.embed(d), k.name AS key_name,
  cj.id AS current_id, cj.job_status AS current_status,
  ct.name AS current_template_name, ct.icon AS current_template_icon, ct.display_name AS current_template_display_name,
  pj.id AS previous_id, pj.job_status AS previous_status,
  pt.name AS previous_template_name, pt.icon AS previous_template_icon, pt.display_name AS previous_template_display_name
FROM provisioner_daemons d
JOIN provisioner_keys k ON k.id = d.key_id
LEFT JOIN LATERAL (
  SELECT * FROM provisioner_jobs j WHERE j.worker_id = d.id AND j.completed_at IS NULL ORDER BY j.started_at DESC LIMIT 1
) cj ON true
LEFT JOIN LATERAL (
  SELECT * FROM provisioner_jobs j
  WHERE j.worker_id = d.id AND j.completed_at IS NOT NULL ORDER BY j.completed_at DESC LIMIT 1
) pj ON true
LEFT JOIN workspace_builds cb ON cb.job_id = cj.id
LEFT JOIN template_versions cv ON cv.id = coalesce(cb.template_version_id, (cj.input ->> 'template_version_id')::uuid)
LEFT JOIN templates ct ON ct.id = cv.template_id
LEFT JOIN workspace_builds pb ON pb.job_id = pj.id
LEFT JOIN template_versions pv ON pv.id = coalesce(pb.template_version_id, (pj.input ->> 'template_version_id')::uuid)
LEFT JOIN templates pt ON pt.id = pv.template_id
WHERE d.organization_id = @organization_id
  AND (cardinality(@ids::uuid[]) = 0 OR d.id = ANY (@ids::uuid[]))
  AND (@tags::jsonb = '{}'::jsonb OR provisioner_tagset_contains(d.tags, @tags::jsonb))
  -- @authorize_filter provisioner_daemon d
ORDER BY d.created_at DESC, d.id;
