-- name: InsertAuditLog :exec
INSERT INTO audit_logs (
  id, time, user_id, organization_id, ip, user_agent, resource_type, resource_id, resource_target, resource_icon,
  action, diff, status_code, additional_fields, request_id
)
VALUES (
  @id, @time, @user_id, @organization_id, sqlc.narg('ip'), sqlc.narg('user_agent'), @resource_type, @resource_id,
  @resource_target, @resource_icon, @action, @diff, @status_code, @additional_fields, @request_id
);

-- name: GetAuditLogsOfResource :many
-- Newest first.
SELECT sqlc.embed(l) FROM audit_logs l
WHERE l.resource_id = @resource_id
-- @authorize_filter audit_log l
ORDER BY l.time DESC, l.id;
