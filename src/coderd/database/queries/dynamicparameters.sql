-- What a template version's form is rendered from. All of it stays as it is once the import has ended.

-- name: GetVersionToRender :maybe
SELECT v.id, v.organization_id, j.file_id, j.job_status, tv.cached_plan, tv.cached_module_files,
  coalesce(tv.provisionerd_version, '')::text AS provisionerd_version
FROM template_versions v
JOIN provisioner_jobs j ON j.id = v.job_id
LEFT JOIN template_version_terraform_values tv ON tv.template_version_id = v.id
WHERE v.id = @id;

-- name: GetPreviewOwner :maybe
-- A member of the organization as templates see him.
SELECT sqlc.embed(u), m.roles AS organization_roles, k.public_key AS ssh_public_key,
  ARRAY(
    SELECT g.group_name FROM user_groups g
    WHERE g.user_id = u.id AND g.organization_id = m.organization_id ORDER BY g.group_name
  )::text[] AS group_names
FROM users u
JOIN organization_members m ON m.user_id = u.id AND m.organization_id = @organization_id
LEFT JOIN git_ssh_keys k ON k.user_id = u.id
WHERE u.id = @user_id AND NOT u.deleted;
