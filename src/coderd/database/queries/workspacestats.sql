-- What use of a workspace changes: statistics, the time of its last use, the time at which it stops by itself.

-- name: InsertAgentStats :exec
-- Many reports at once. `protocols` is a JSON list, an element for each report.
INSERT INTO workspace_agent_stats (
  id, created_at, user_id, agent_id, workspace_id, template_id, connections_by_proto, connection_count, rx_packets,
  rx_bytes, tx_packets, tx_bytes, connection_median_latency_ms, session_count_vscode, session_count_jetbrains,
  session_count_reconnecting_pty, session_count_ssh, usage
)
SELECT r.id, r.created_at, r.user_id, r.agent_id, r.workspace_id, r.template_id,
  @protocols::jsonb -> (r.number - 1)::integer, r.connection_count, r.rx_packets, r.rx_bytes, r.tx_packets, r.tx_bytes,
  r.latency, r.vscode, r.jetbrains, r.reconnecting_pty, r.ssh, r.usage
FROM unnest(
  @ids::uuid[], @created_ats::timestamptz[], @user_ids::uuid[], @agent_ids::uuid[], @workspace_ids::uuid[],
  @template_ids::uuid[], @connection_counts::bigint[], @rx_packets::bigint[], @rx_bytes::bigint[], @tx_packets::bigint[],
  @tx_bytes::bigint[], @connection_median_latencies_ms::double precision[], @session_counts_vscode::bigint[],
  @session_counts_jetbrains::bigint[], @session_counts_reconnecting_pty::bigint[], @session_counts_ssh::bigint[],
  @usages::boolean[]
) WITH ORDINALITY AS r (
  id, created_at, user_id, agent_id, workspace_id, template_id, connection_count, rx_packets, rx_bytes, tx_packets,
  tx_bytes, latency, vscode, jetbrains, reconnecting_pty, ssh, usage, number
);

-- name: UpdateWorkspacesLastUsed :exec
UPDATE workspaces w SET last_used_at = greatest(w.last_used_at, u.at)
FROM unnest(@ids::uuid[], @ats::timestamptz[]) AS u (id, at)
WHERE w.id = u.id;

-- name: GetBumpFacts :maybe
-- What decides whether use of a workspace moves its deadline: its latest build, its template, its schedule.
SELECT b.id AS build_id, b.transition, b.deadline, b.max_deadline, (j.completed_at IS NOT NULL)::boolean AS job_completed,
  w.owner_id, w.ttl_ms, w.autostart_schedule, t.activity_bump_ms, t.default_ttl_ms, t.allow_user_autostop,
  t.allow_user_autostart, t.autostart_days_of_week
FROM workspaces w
JOIN templates t ON t.id = w.template_id
JOIN workspace_builds b ON b.workspace_id = w.id
  AND b.build_number = (SELECT max(l.build_number) FROM workspace_builds l WHERE l.workspace_id = w.id)
JOIN provisioner_jobs j ON j.id = b.job_id
WHERE w.id = @workspace_id AND NOT w.deleted;

-- name: BumpBuildDeadline :execrows
-- Never earlier, and not what somebody has changed meanwhile.
UPDATE workspace_builds SET deadline = @deadline, updated_at = @now
WHERE id = @build_id AND deadline = @before AND deadline < @deadline;
