DROP TABLE audit_logs, crypto_keys, site_configs;
DROP VIEW user_groups;
DROP TABLE group_members, groups, custom_roles, organization_members, organizations, git_ssh_keys, login_links,
  api_keys, user_configs, user_deleted, user_status_changes, users;
DROP FUNCTION organization_adds_everyone, member_leaves_groups, custom_role_is_taken_back, user_status_is_recorded,
  deleted_user_loses_credentials, credentials_need_living_user;
DROP TYPE resource_type, audit_action, crypto_key_feature, shareable_workspace_owners, group_source, login_type,
  user_status;
