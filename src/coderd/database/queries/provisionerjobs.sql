-- Jobs and the queue. Who waits for one is told by a notification after the inserting transaction.

-- name: InsertProvisionerJob :one
INSERT INTO provisioner_jobs (
  id, organization_id, initiator_id, type, provisioner, file_id, input, tags, trace_metadata, workspace_id,
  created_at, updated_at
)
VALUES (
  @id, @organization_id, @initiator_id, @type, @provisioner, @file_id, @input, @tags, sqlc.narg('trace_metadata'),
  sqlc.narg('workspace_id'), @created_at, @created_at
)
RETURNING *;

-- name: GetProvisionerJobById :one
SELECT * FROM provisioner_jobs WHERE id = @id;

-- name: LockProvisionerJob :one
-- For changes of state: nobody else changes the job until the transaction ends.
SELECT * FROM provisioner_jobs WHERE id = @id FOR UPDATE;

-- name: LockProvisionerJobIfFree :maybe
-- As above, nothing if somebody else has it.
SELECT * FROM provisioner_jobs WHERE id = @id FOR UPDATE SKIP LOCKED;

-- name: AcquireProvisionerJob :maybe
-- The next job that a daemon with these tags may take, now its own. People's jobs before those of prebuilds, then the
-- oldest. SKIP LOCKED: rivals take different jobs without waiting for each other.
UPDATE provisioner_jobs SET started_at = @now, updated_at = @now, worker_id = @worker_id
WHERE id = (
  SELECT j.id FROM provisioner_jobs j
  WHERE j.started_at IS NULL AND j.completed_at IS NULL
    AND j.organization_id = @organization_id
    AND j.provisioner = ANY (@types::provisioner_type[])
    AND provisioner_tagset_contains(@tags::jsonb, j.tags)
  ORDER BY (j.initiator_id = 'c42fdf75-3097-471c-8c33-fb52454d81c0'), j.created_at
  FOR UPDATE SKIP LOCKED
  LIMIT 1
)
RETURNING *;

-- name: TouchProvisionerJob :exec
UPDATE provisioner_jobs SET updated_at = @now WHERE id = @id;

-- name: CompleteProvisionerJob :exec
UPDATE provisioner_jobs
SET completed_at = @now, updated_at = @now, started_at = coalesce(started_at, sqlc.narg('started_at')),
  error = sqlc.narg('error'), error_code = sqlc.narg('error_code')
WHERE id = @id;

-- name: CancelProvisionerJob :exec
-- A job that nobody works on ends at once.
UPDATE provisioner_jobs
SET canceled_at = @now, updated_at = @now, completed_at = CASE WHEN started_at IS NULL THEN @now ELSE completed_at END
WHERE id = @id;

-- name: GetHungProvisionerJobIds :many
-- Started and silent, or never started for long. The order is left to chance, so that one bad job blocks nothing.
SELECT id FROM provisioner_jobs
WHERE completed_at IS NULL
  AND ((started_at IS NOT NULL AND updated_at < @hung_before) OR (started_at IS NULL AND updated_at < @pending_before))
ORDER BY random() LIMIT @max;

-- name: GetUnfinishedJobsOfWorkers :many
-- Jobs that these daemons took and did not end.
SELECT id, updated_at FROM provisioner_jobs WHERE worker_id = ANY (@worker_ids::uuid[]) AND completed_at IS NULL;

-- name: InsertProvisionerJobLogs :many
INSERT INTO provisioner_job_logs (job_id, created_at, source, level, stage, output)
SELECT @job_id, l.created_at, l.source, l.level, l.stage, l.output
FROM unnest(
  @created_ats::timestamptz[], @sources::log_source[], @levels::log_level[], @stages::text[], @outputs::text[]
) WITH ORDINALITY AS l (created_at, source, level, stage, output, n)
ORDER BY l.n
RETURNING id;

-- name: AddProvisionerJobLogsLength :exec
UPDATE provisioner_jobs SET logs_length = logs_length + @added, logs_overflowed = @overflowed WHERE id = @id;

-- name: GetProvisionerJobLogsAfter :many
SELECT * FROM provisioner_job_logs WHERE job_id = @job_id AND id > @after ORDER BY id LIMIT @max;

-- name: GetLastProvisionerJobLog :maybe
SELECT * FROM provisioner_job_logs WHERE job_id = @job_id ORDER BY id DESC LIMIT 1;

-- name: InsertProvisionerJobTimings :exec
INSERT INTO provisioner_job_timings (job_id, stage, source, action, resource, started_at, ended_at)
SELECT @job_id, t.stage, t.source, t.action, t.resource, t.started_at, t.ended_at
FROM unnest(
  @stages::provisioner_job_timing_stage[], @sources::text[], @actions::text[], @resources::text[],
  @started_ats::timestamptz[], @ended_ats::timestamptz[]
) AS t (stage, source, action, resource, started_at, ended_at);

-- name: GetProvisionerJobTimings :many
SELECT * FROM provisioner_job_timings WHERE job_id = @job_id ORDER BY started_at, id;

-- name: GetProvisionerJobQueues :many
-- Place of waiting jobs: ranked per tag set of the daemons seen lately that can take one of them; the best rank counts.
-- Jobs that nobody can take have no row.
WITH asked AS (
  SELECT id, organization_id, provisioner, tags FROM provisioner_jobs
  WHERE id = ANY (@ids::uuid[]) AND job_status = 'pending'
), sets AS (
  SELECT DISTINCT d.organization_id, d.tags
  FROM provisioner_daemons d JOIN asked a
    ON a.organization_id = d.organization_id AND a.provisioner = ANY (d.provisioners)
    AND provisioner_tagset_contains(d.tags, a.tags)
  WHERE d.last_seen_at >= @seen_after::timestamptz
), ranked AS (
  SELECT j.id,
    row_number() OVER (
      PARTITION BY s.organization_id, s.tags
      ORDER BY (j.initiator_id = 'c42fdf75-3097-471c-8c33-fb52454d81c0'), j.created_at
    ) AS position,
    count(*) OVER (PARTITION BY s.organization_id, s.tags) AS size
  FROM sets s JOIN provisioner_jobs j
    ON j.organization_id = s.organization_id AND provisioner_tagset_contains(s.tags, j.tags)
  WHERE j.job_status = 'pending'
)
SELECT a.id, min(r.position)::int AS position, max(r.size)::int AS size
FROM asked a JOIN ranked r ON r.id = a.id
GROUP BY a.id;

-- name: GetEligibleDaemons :many
-- Daemons whose tags match these jobs, whether they live or not.
SELECT j.id AS job_id, d.id AS daemon_id, d.last_seen_at
FROM provisioner_jobs j JOIN provisioner_daemons d
  ON d.organization_id = j.organization_id AND j.provisioner = ANY (d.provisioners)
  AND provisioner_tagset_contains(d.tags, j.tags)
WHERE j.id = ANY (@job_ids::uuid[])
ORDER BY d.created_at;

-- name: GetOrganizationJobs :many
-- The list of an organization's jobs, newest first, with what they are about.
SELECT sqlc.embed(j), v.id AS version_id, v.name AS version_name, t.id AS template_id, t.name AS template_name,
  t.display_name AS template_display_name, t.icon AS template_icon,
  w.id AS workspace_id, w.name AS workspace_name, b.id AS build_id, b.transition AS build_transition,
  d.name AS worker_name
FROM provisioner_jobs j
LEFT JOIN workspace_builds b ON b.job_id = j.id
LEFT JOIN workspaces w ON w.id = b.workspace_id
LEFT JOIN template_versions v ON v.id = coalesce(b.template_version_id, (j.input ->> 'template_version_id')::uuid)
LEFT JOIN templates t ON t.id = v.template_id
LEFT JOIN provisioner_daemons d ON d.id = j.worker_id
WHERE j.organization_id = @organization_id
  AND (cardinality(@ids::uuid[]) = 0 OR j.id = ANY (@ids::uuid[]))
  AND (cardinality(@statuses::provisioner_job_status[]) = 0 OR j.job_status = ANY (@statuses::provisioner_job_status[]))
  AND (sqlc.narg('initiator_id')::uuid IS NULL OR j.initiator_id = sqlc.narg('initiator_id')::uuid)
  AND (@tags::jsonb = '{}'::jsonb OR provisioner_tagset_contains(j.tags, @tags::jsonb))
  -- @authorize_filter provisioner_jobs j
ORDER BY j.created_at DESC LIMIT nullif(@max::int, 0);
