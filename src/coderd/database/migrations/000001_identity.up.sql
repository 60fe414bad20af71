-- People, what they belong to, and how they prove who they are.
-- Never-happened times are null (the wire shows them as year 1). Durations carry their unit in the name.

CREATE TYPE user_status AS ENUM ('active', 'suspended', 'dormant');
CREATE TYPE login_type AS ENUM ('password', 'github', 'oidc', 'token', 'none', 'oauth2_provider_app');
CREATE TYPE group_source AS ENUM ('user', 'oidc');
CREATE TYPE shareable_workspace_owners AS ENUM ('none', 'everyone', 'service_accounts');
CREATE TYPE crypto_key_feature AS ENUM ('workspace_apps_token', 'workspace_apps_api_key', 'oidc_convert', 'tailnet_resume');
CREATE TYPE audit_action AS ENUM (
  'create', 'write', 'delete', 'start', 'stop', 'login', 'logout', 'register', 'request_password_reset',
  'connect', 'disconnect', 'open', 'close'
);
CREATE TYPE resource_type AS ENUM (
  'organization', 'template', 'template_version', 'user', 'workspace', 'git_ssh_key', 'api_key', 'group',
  'workspace_build', 'license', 'workspace_proxy', 'convert_login', 'health_settings', 'oauth2_provider_app',
  'oauth2_provider_app_secret', 'custom_role', 'organization_member', 'notifications_settings',
  'notification_template', 'idp_sync_settings_organization', 'idp_sync_settings_group', 'idp_sync_settings_role',
  'workspace_agent', 'workspace_app', 'prebuilds_settings', 'task', 'ai_seat', 'chat', 'user_secret',
  'ai_provider', 'ai_provider_key', 'group_ai_budget', 'user_skill'
);

CREATE TABLE users (
  id uuid PRIMARY KEY,
  email text NOT NULL,
  username text NOT NULL CHECK (username <> ''),
  name text NOT NULL DEFAULT '',
  avatar_url text NOT NULL DEFAULT '',
  status user_status NOT NULL DEFAULT 'dormant',
  login_type login_type NOT NULL DEFAULT 'password' CHECK (login_type NOT IN ('token', 'oauth2_provider_app')),
  rbac_roles text[] NOT NULL DEFAULT '{}',
  hashed_password bytea NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  last_seen_at timestamptz,
  deleted boolean NOT NULL DEFAULT false,
  is_system boolean NOT NULL DEFAULT false,
  is_service_account boolean NOT NULL DEFAULT false,
  quiet_hours_schedule text NOT NULL DEFAULT '',
  github_com_user_id bigint,
  hashed_one_time_passcode bytea,
  one_time_passcode_expires_at timestamptz,
  CONSTRAINT users_passcode_both_or_neither
    CHECK ((hashed_one_time_passcode IS NULL) = (one_time_passcode_expires_at IS NULL)),
  CONSTRAINT users_email_unless_service_account CHECK ((email = '') = is_service_account),
  CONSTRAINT users_service_account_cannot_login CHECK (NOT is_service_account OR login_type = 'none')
);
COMMENT ON TABLE users IS 'Everybody who acts: people, service accounts and system users. Deleted ones stay, their names are free again.';
COMMENT ON COLUMN users.last_seen_at IS 'Null: never.';
COMMENT ON COLUMN users.quiet_hours_schedule IS 'Cron with zone; empty takes the deployment''s default.';
CREATE UNIQUE INDEX users_username_lower_idx ON users (lower(username)) WHERE NOT deleted;
CREATE UNIQUE INDEX users_email_lower_idx ON users (lower(email)) WHERE NOT deleted AND email <> '';
CREATE INDEX users_status_seen_idx ON users (status, last_seen_at) WHERE NOT deleted;

CREATE TABLE user_status_changes (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES users (id),
  new_status user_status NOT NULL,
  changed_at timestamptz NOT NULL
);
COMMENT ON TABLE user_status_changes IS 'History of users.status, written by a trigger; feeds the user-count insight.';
CREATE INDEX user_status_changes_changed_at_idx ON user_status_changes (changed_at);
CREATE INDEX user_status_changes_user_id_idx ON user_status_changes (user_id);

CREATE TABLE user_deleted (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL UNIQUE REFERENCES users (id),
  deleted_at timestamptz NOT NULL
);
COMMENT ON TABLE user_deleted IS 'When a user was deleted, written by a trigger.';
CREATE INDEX user_deleted_deleted_at_idx ON user_deleted (deleted_at);

CREATE TABLE user_configs (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  key varchar(256) NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (user_id, key)
);
COMMENT ON TABLE user_configs IS 'Appearance and other preferences of a user.';

CREATE TABLE api_keys (
  id varchar(10) PRIMARY KEY,
  hashed_secret bytea NOT NULL,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  login_type login_type NOT NULL,
  token_name text NOT NULL DEFAULT '',
  scopes text[] NOT NULL,
  allow_list text[] NOT NULL DEFAULT '{*:*}' CHECK (cardinality(allow_list) > 0),
  lifetime_seconds bigint NOT NULL DEFAULT 86400,
  ip_address inet NOT NULL DEFAULT '0.0.0.0',
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  last_used timestamptz,
  expires_at timestamptz NOT NULL
)
WITH (fillfactor = 80);
COMMENT ON TABLE api_keys IS 'Sessions and tokens. Only the SHA-256 of the secret is kept.';
COMMENT ON COLUMN api_keys.last_used IS 'Null: never. Written at most once a while, not by each request.';
CREATE UNIQUE INDEX api_keys_user_token_name_idx ON api_keys (user_id, token_name) WHERE login_type = 'token';
CREATE INDEX api_keys_user_idx ON api_keys (user_id);
CREATE INDEX api_keys_expires_at_idx ON api_keys (expires_at);

CREATE TABLE login_links (
  hashed_secret bytea PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz
);
COMMENT ON TABLE login_links IS 'One-time login links (first start, coder login-link). The SHA-256 of the secret, never the secret.';

CREATE TABLE git_ssh_keys (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  private_key text NOT NULL,
  public_key text NOT NULL
);
COMMENT ON TABLE git_ssh_keys IS 'The key pair that a user''s workspaces use towards git hosts.';

CREATE TABLE organizations (
  id uuid PRIMARY KEY,
  name text NOT NULL CHECK (name <> ''),
  display_name text NOT NULL,
  description text NOT NULL DEFAULT '',
  icon text NOT NULL DEFAULT '',
  is_default boolean NOT NULL DEFAULT false,
  deleted boolean NOT NULL DEFAULT false,
  shareable_workspace_owners shareable_workspace_owners NOT NULL DEFAULT 'everyone',
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
COMMENT ON TABLE organizations IS 'Tenants. Exactly one is the default; it cannot be deleted.';
CREATE UNIQUE INDEX organizations_name_lower_idx ON organizations (lower(name)) WHERE NOT deleted;
CREATE UNIQUE INDEX organizations_single_default_idx ON organizations (is_default) WHERE is_default;
ALTER TABLE organizations ADD CONSTRAINT organizations_default_stays CHECK (NOT (is_default AND deleted));

CREATE TABLE organization_members (
  organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  roles text[] NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (organization_id, user_id)
);
COMMENT ON TABLE organization_members IS 'Who belongs to an organization, with the roles given there (membership itself is implied).';
CREATE INDEX organization_members_user_idx ON organization_members (user_id);

CREATE TABLE custom_roles (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid REFERENCES organizations (id) ON DELETE CASCADE,
  name text NOT NULL CHECK (name <> ''),
  display_name text NOT NULL DEFAULT '',
  site_permissions jsonb NOT NULL DEFAULT '[]',
  org_permissions jsonb NOT NULL DEFAULT '[]',
  user_permissions jsonb NOT NULL DEFAULT '[]',
  member_permissions jsonb NOT NULL DEFAULT '[]',
  is_system boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
COMMENT ON TABLE custom_roles IS 'Roles made by admins; a null organization means site-wide. Permissions are arrays of {negate, resource_type, action}.';
CREATE UNIQUE INDEX custom_roles_name_idx ON custom_roles (organization_id, lower(name)) NULLS NOT DISTINCT;

CREATE TABLE groups (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name text NOT NULL CHECK (name <> ''),
  display_name text NOT NULL DEFAULT '',
  avatar_url text NOT NULL DEFAULT '',
  quota_allowance integer NOT NULL DEFAULT 0 CHECK (quota_allowance >= 0),
  source group_source NOT NULL DEFAULT 'user',
  UNIQUE (organization_id, name)
);
COMMENT ON TABLE groups IS 'Groups of members. The one with the organization''s own id is Everyone: its members are implied.';

CREATE TABLE group_members (
  group_id uuid NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  PRIMARY KEY (group_id, user_id)
);
COMMENT ON TABLE group_members IS 'Explicit members. Read user_groups for the effective list.';
CREATE INDEX group_members_user_idx ON group_members (user_id);

CREATE VIEW user_groups AS
SELECT gm.user_id, g.id AS group_id, g.name AS group_name, g.organization_id
FROM group_members gm JOIN groups g ON g.id = gm.group_id
UNION
SELECT om.user_id, g.id, g.name, g.organization_id
FROM organization_members om JOIN groups g ON g.id = om.organization_id;
COMMENT ON VIEW user_groups IS 'Effective group membership: explicit rows, and Everyone for each member.';

CREATE TABLE site_configs (
  key varchar(256) PRIMARY KEY,
  value text NOT NULL
);
COMMENT ON TABLE site_configs IS 'Settings and secrets of the deployment: deployment_id, signing keys, banners.';

CREATE TABLE crypto_keys (
  feature crypto_key_feature NOT NULL,
  sequence integer NOT NULL,
  secret text,
  starts_at timestamptz NOT NULL,
  deletes_at timestamptz,
  PRIMARY KEY (feature, sequence)
);
COMMENT ON TABLE crypto_keys IS 'Rotating keys. A deleted key keeps its row without the secret, so that no sequence number comes twice.';

CREATE TABLE audit_logs (
  id uuid PRIMARY KEY,
  time timestamptz NOT NULL,
  user_id uuid NOT NULL,
  organization_id uuid NOT NULL,
  ip inet,
  user_agent varchar(256),
  resource_type resource_type NOT NULL,
  resource_id uuid NOT NULL,
  resource_target text NOT NULL,
  resource_icon text NOT NULL DEFAULT '',
  action audit_action NOT NULL,
  diff jsonb NOT NULL DEFAULT '{}',
  status_code integer NOT NULL,
  additional_fields jsonb NOT NULL DEFAULT '{}',
  request_id uuid NOT NULL
);
COMMENT ON TABLE audit_logs IS 'What was changed, by whom, and how it ended; written in the transaction of the change. No foreign keys: entries outlive what they tell of.';
CREATE INDEX audit_logs_time_idx ON audit_logs (time DESC);
CREATE INDEX audit_logs_user_idx ON audit_logs (user_id, time DESC);
CREATE INDEX audit_logs_organization_idx ON audit_logs (organization_id, time DESC);
CREATE INDEX audit_logs_resource_idx ON audit_logs (resource_id, time DESC);

CREATE FUNCTION organization_adds_everyone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO groups (id, organization_id, name) VALUES (NEW.id, NEW.id, 'Everyone');
  RETURN NULL;
END $$;
CREATE TRIGGER organization_adds_everyone AFTER INSERT ON organizations
  FOR EACH ROW EXECUTE FUNCTION organization_adds_everyone();

CREATE FUNCTION member_leaves_groups() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM group_members gm USING groups g
  WHERE gm.group_id = g.id AND g.organization_id = OLD.organization_id AND gm.user_id = OLD.user_id;
  RETURN NULL;
END $$;
CREATE TRIGGER member_leaves_groups AFTER DELETE ON organization_members
  FOR EACH ROW EXECUTE FUNCTION member_leaves_groups();

CREATE FUNCTION custom_role_is_taken_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.organization_id IS NULL THEN
    UPDATE users SET rbac_roles = array_remove(rbac_roles, OLD.name) WHERE OLD.name = ANY (rbac_roles);
  ELSE
    UPDATE organization_members SET roles = array_remove(roles, OLD.name)
    WHERE organization_id = OLD.organization_id AND OLD.name = ANY (roles);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER custom_role_is_taken_back AFTER DELETE ON custom_roles
  FOR EACH ROW EXECUTE FUNCTION custom_role_is_taken_back();

CREATE FUNCTION user_status_is_recorded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' OR OLD.status <> NEW.status THEN
    INSERT INTO user_status_changes (user_id, new_status, changed_at) VALUES (NEW.id, NEW.status, NEW.updated_at);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER user_status_is_recorded AFTER INSERT OR UPDATE OF status ON users
  FOR EACH ROW EXECUTE FUNCTION user_status_is_recorded();

CREATE FUNCTION deleted_user_loses_credentials() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.deleted AND NOT OLD.deleted THEN
    DELETE FROM api_keys WHERE user_id = NEW.id;
    DELETE FROM login_links WHERE user_id = NEW.id;
    DELETE FROM organization_members WHERE user_id = NEW.id;
    INSERT INTO user_deleted (user_id, deleted_at) VALUES (NEW.id, NEW.updated_at);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER deleted_user_loses_credentials AFTER UPDATE OF deleted ON users
  FOR EACH ROW EXECUTE FUNCTION deleted_user_loses_credentials();

-- Locks the user's row against a concurrent delete, so that no key slips in behind the trigger above.
CREATE FUNCTION credentials_need_living_user() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE gone boolean;
BEGIN
  SELECT deleted INTO gone FROM users WHERE id = NEW.user_id FOR SHARE;
  IF gone THEN
    RAISE EXCEPTION 'user % is deleted', NEW.user_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'credentials_need_living_user', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER credentials_need_living_user BEFORE INSERT ON api_keys
  FOR EACH ROW EXECUTE FUNCTION credentials_need_living_user();
CREATE TRIGGER credentials_need_living_user BEFORE INSERT ON login_links
  FOR EACH ROW EXECUTE FUNCTION credentials_need_living_user();
CREATE TRIGGER credentials_need_living_user BEFORE INSERT ON organization_members
  FOR EACH ROW EXECUTE FUNCTION credentials_need_living_user();

INSERT INTO organizations (id, name, display_name, description, is_default, created_at, updated_at)
VALUES (gen_random_uuid(), 'coder', 'Coder', 'Builtin default organization.', true, now(), now());

INSERT INTO users (id, email, username, name, status, login_type, is_system, created_at, updated_at)
VALUES (
  'c42fdf75-3097-471c-8c33-fb52454d81c0', 'prebuilds@system', 'prebuilds', 'Prebuilds Owner', 'active', 'none', true,
  now(), now()
);
