-- Files, jobs and the daemons that run them; templates and their versions.

CREATE TYPE provisioner_type AS ENUM ('echo', 'terraform');
CREATE TYPE provisioner_storage_method AS ENUM ('file');
CREATE TYPE provisioner_job_type AS ENUM ('template_version_import', 'workspace_build', 'template_version_dry_run');
CREATE TYPE provisioner_job_status AS ENUM ('pending', 'running', 'succeeded', 'canceling', 'canceled', 'failed', 'unknown');
CREATE TYPE provisioner_job_timing_stage AS ENUM ('init', 'plan', 'graph', 'apply');
CREATE TYPE log_level AS ENUM ('trace', 'debug', 'info', 'warn', 'error');
CREATE TYPE log_source AS ENUM ('provisioner_daemon', 'provisioner');
CREATE TYPE app_sharing_level AS ENUM ('owner', 'authenticated', 'organization', 'public');
CREATE TYPE cors_behavior AS ENUM ('simple', 'passthru');
CREATE TYPE parameter_form_type AS ENUM (
  '', 'error', 'radio', 'dropdown', 'input', 'textarea', 'slider', 'checkbox', 'switch', 'tag-select', 'multi-select'
);
CREATE TYPE prebuild_status AS ENUM ('healthy', 'hard_limited', 'validation_failed');

CREATE TABLE files (
  id uuid PRIMARY KEY,
  hash varchar(64) NOT NULL,
  created_at timestamptz NOT NULL,
  created_by uuid NOT NULL,
  mimetype varchar(64) NOT NULL,
  data bytea NOT NULL,
  UNIQUE (hash, created_by)
);
COMMENT ON TABLE files IS 'Uploaded archives, one row per content and creator. The zero uuid creates what daemons upload (module archives).';
COMMENT ON COLUMN files.hash IS 'SHA-256 of data, hexadecimal.';

CREATE TABLE provisioner_keys (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name varchar(64) NOT NULL,
  hashed_secret bytea NOT NULL,
  tags jsonb NOT NULL CHECK (jsonb_typeof(tags) = 'object'),
  created_at timestamptz NOT NULL
);
COMMENT ON TABLE provisioner_keys IS 'Credentials of external daemons. Ids 1 to 3 are reserved words of the wire: built-in, user-auth, psk.';
CREATE UNIQUE INDEX provisioner_keys_name_idx ON provisioner_keys (organization_id, lower(name));

INSERT INTO provisioner_keys (id, organization_id, name, hashed_secret, tags, created_at)
SELECT reserved.id, o.id, reserved.name, '', '{}', now()
FROM organizations o,
  (VALUES
    ('00000000-0000-0000-0000-000000000001'::uuid, 'built-in'),
    ('00000000-0000-0000-0000-000000000002'::uuid, 'user-auth'),
    ('00000000-0000-0000-0000-000000000003'::uuid, 'psk')) AS reserved (id, name)
WHERE o.is_default;

CREATE TABLE provisioner_daemons (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  key_id uuid NOT NULL REFERENCES provisioner_keys (id) ON DELETE CASCADE,
  name varchar(64) NOT NULL,
  provisioners provisioner_type[] NOT NULL,
  tags jsonb NOT NULL CHECK (jsonb_typeof(tags) = 'object'),
  replica_id uuid,
  version text NOT NULL DEFAULT '',
  api_version text NOT NULL DEFAULT '1.0',
  created_at timestamptz NOT NULL,
  last_seen_at timestamptz
);
COMMENT ON TABLE provisioner_daemons IS 'Daemons that are or were connected. The server refreshes last_seen_at while the connection lives.';
CREATE UNIQUE INDEX provisioner_daemons_name_idx
  ON provisioner_daemons (organization_id, name, lower(coalesce(tags ->> 'owner', '')));
CREATE INDEX provisioner_daemons_seen_idx ON provisioner_daemons (last_seen_at);

CREATE TABLE provisioner_jobs (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  initiator_id uuid NOT NULL,
  type provisioner_job_type NOT NULL,
  provisioner provisioner_type NOT NULL,
  storage_method provisioner_storage_method NOT NULL DEFAULT 'file',
  file_id uuid NOT NULL,
  input jsonb NOT NULL,
  tags jsonb NOT NULL CHECK (jsonb_typeof(tags) = 'object'),
  trace_metadata jsonb,
  workspace_id uuid,
  worker_id uuid,
  error text,
  error_code text,
  logs_length integer NOT NULL DEFAULT 0,
  logs_overflowed boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  started_at timestamptz,
  canceled_at timestamptz,
  completed_at timestamptz,
  job_status provisioner_job_status NOT NULL GENERATED ALWAYS AS (
    CASE
      WHEN completed_at IS NOT NULL AND error <> '' THEN 'failed'::provisioner_job_status
      WHEN completed_at IS NOT NULL AND canceled_at IS NOT NULL THEN 'canceled'
      WHEN completed_at IS NOT NULL THEN 'succeeded'
      WHEN error <> '' THEN 'failed'
      WHEN canceled_at IS NOT NULL THEN 'canceling'
      WHEN started_at IS NULL THEN 'pending'
      ELSE 'running'
    END
  ) STORED,
  CONSTRAINT provisioner_jobs_logs_bounded CHECK (logs_length <= 1048576),
  CONSTRAINT provisioner_jobs_workspace_of_builds CHECK ((type = 'workspace_build') = (workspace_id IS NOT NULL))
);
COMMENT ON TABLE provisioner_jobs IS 'Work for daemons: imports of versions, builds of workspaces, dry runs. Also the queue.';
COMMENT ON COLUMN provisioner_jobs.workspace_id IS 'Set for builds only: carries the rule that a workspace has at most one active build.';
CREATE UNIQUE INDEX provisioner_jobs_one_active_build_idx ON provisioner_jobs (workspace_id) WHERE completed_at IS NULL;
CREATE INDEX provisioner_jobs_pending_idx ON provisioner_jobs (organization_id, provisioner, created_at)
  WHERE started_at IS NULL AND completed_at IS NULL;
CREATE INDEX provisioner_jobs_active_updated_idx ON provisioner_jobs (updated_at) WHERE completed_at IS NULL;
CREATE INDEX provisioner_jobs_worker_idx ON provisioner_jobs (worker_id, completed_at DESC) WHERE worker_id IS NOT NULL;
CREATE INDEX provisioner_jobs_organization_created_idx ON provisioner_jobs (organization_id, created_at DESC);

CREATE FUNCTION provisioner_tagset_contains(daemon jsonb, job jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN job = '{"scope": "organization", "owner": ""}'::jsonb THEN daemon = job ELSE daemon @> job END;
COMMENT ON FUNCTION provisioner_tagset_contains IS 'May a daemon with these tags take a job with those? An untagged job wants an untagged daemon.';

CREATE TABLE provisioner_job_logs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id uuid NOT NULL REFERENCES provisioner_jobs (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  source log_source NOT NULL,
  level log_level NOT NULL,
  stage varchar(128) NOT NULL,
  output text NOT NULL
);
COMMENT ON TABLE provisioner_job_logs IS 'Output of jobs. Readers follow by id.';
CREATE INDEX provisioner_job_logs_job_idx ON provisioner_job_logs (job_id, id);

CREATE TABLE provisioner_job_timings (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id uuid NOT NULL REFERENCES provisioner_jobs (id) ON DELETE CASCADE,
  stage provisioner_job_timing_stage NOT NULL,
  source text NOT NULL,
  action text NOT NULL,
  resource text NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL
);
COMMENT ON TABLE provisioner_job_timings IS 'How long each step of a job took.';
CREATE INDEX provisioner_job_timings_job_idx ON provisioner_job_timings (job_id);

CREATE TABLE templates (
  id uuid PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name varchar(64) NOT NULL CHECK (name <> ''),
  display_name varchar(64) NOT NULL DEFAULT '',
  description varchar(128) NOT NULL DEFAULT '',
  icon varchar(256) NOT NULL DEFAULT '',
  provisioner provisioner_type NOT NULL,
  active_version_id uuid NOT NULL,
  created_by uuid NOT NULL REFERENCES users (id),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  deleted boolean NOT NULL DEFAULT false,
  user_acl jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(user_acl) = 'object'),
  group_acl jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(group_acl) = 'object'),
  default_ttl_ms bigint NOT NULL DEFAULT 0 CHECK (default_ttl_ms >= 0),
  activity_bump_ms bigint NOT NULL DEFAULT 3600000 CHECK (activity_bump_ms >= 0),
  failure_ttl_ms bigint NOT NULL DEFAULT 0 CHECK (failure_ttl_ms >= 0),
  time_til_dormant_ms bigint NOT NULL DEFAULT 0 CHECK (time_til_dormant_ms >= 0),
  time_til_dormant_autodelete_ms bigint NOT NULL DEFAULT 0 CHECK (time_til_dormant_autodelete_ms >= 0),
  autostop_requirement_days_of_week smallint NOT NULL DEFAULT 0
    CHECK (autostop_requirement_days_of_week BETWEEN 0 AND 127),
  autostop_requirement_weeks integer NOT NULL DEFAULT 0 CHECK (autostop_requirement_weeks BETWEEN 0 AND 16),
  autostart_days_of_week smallint NOT NULL DEFAULT 127 CHECK (autostart_days_of_week BETWEEN 0 AND 127),
  allow_user_autostart boolean NOT NULL DEFAULT true,
  allow_user_autostop boolean NOT NULL DEFAULT true,
  allow_user_cancel_workspace_jobs boolean NOT NULL DEFAULT false,
  require_active_version boolean NOT NULL DEFAULT false,
  deprecated text NOT NULL DEFAULT '',
  max_port_share_level app_sharing_level NOT NULL DEFAULT 'owner',
  use_classic_parameter_flow boolean NOT NULL DEFAULT false,
  cors_behavior cors_behavior NOT NULL DEFAULT 'simple',
  disable_module_cache boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE templates IS 'What workspaces are made from. Rows stay when deleted, for the sake of old builds.';
COMMENT ON COLUMN templates.user_acl IS '{user id: [action]}; group_acl likewise, the organization''s id standing for Everyone.';
COMMENT ON COLUMN templates.autostop_requirement_days_of_week IS 'Bit 0 is Monday; likewise autostart_days_of_week.';
COMMENT ON COLUMN templates.deprecated IS 'The reason; empty means not deprecated.';
CREATE UNIQUE INDEX templates_name_idx ON templates (organization_id, lower(name)) WHERE NOT deleted;

CREATE TABLE template_versions (
  id uuid PRIMARY KEY,
  template_id uuid REFERENCES templates (id) ON DELETE CASCADE,
  organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  job_id uuid NOT NULL UNIQUE REFERENCES provisioner_jobs (id) ON DELETE CASCADE,
  created_by uuid NOT NULL REFERENCES users (id),
  name varchar(64) NOT NULL CHECK (name <> ''),
  message varchar(1048576) NOT NULL DEFAULT '',
  readme varchar(1048576) NOT NULL DEFAULT '',
  archived boolean NOT NULL DEFAULT false,
  source_example_id text,
  has_ai_task boolean,
  has_external_agent boolean,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  UNIQUE (template_id, name)
);
COMMENT ON TABLE template_versions IS 'Uploads of a template. Until attached, a version has no template.';
CREATE INDEX template_versions_template_created_idx ON template_versions (template_id, created_at DESC);
ALTER TABLE templates ADD CONSTRAINT templates_active_version_fkey
  FOREIGN KEY (active_version_id) REFERENCES template_versions (id) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE template_version_parameters (
  template_version_id uuid NOT NULL REFERENCES template_versions (id) ON DELETE CASCADE,
  name text NOT NULL,
  display_name text NOT NULL DEFAULT '',
  description text NOT NULL DEFAULT '',
  type text NOT NULL,
  form_type parameter_form_type NOT NULL DEFAULT '',
  mutable boolean NOT NULL,
  default_value text NOT NULL,
  icon text NOT NULL DEFAULT '',
  options jsonb NOT NULL DEFAULT '[]',
  required boolean NOT NULL DEFAULT true,
  ephemeral boolean NOT NULL DEFAULT false,
  display_order integer NOT NULL DEFAULT 0,
  validation_regex text NOT NULL DEFAULT '',
  validation_min integer,
  validation_max integer,
  validation_error text NOT NULL DEFAULT '',
  validation_monotonic text NOT NULL DEFAULT '' CHECK (validation_monotonic IN ('', 'increasing', 'decreasing')),
  PRIMARY KEY (template_version_id, name)
);
COMMENT ON TABLE template_version_parameters IS 'coder_parameter blocks of a version, as its import saw them.';

CREATE TABLE template_version_variables (
  template_version_id uuid NOT NULL REFERENCES template_versions (id) ON DELETE CASCADE,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  type text NOT NULL,
  value text NOT NULL,
  default_value text NOT NULL,
  required boolean NOT NULL,
  sensitive boolean NOT NULL,
  PRIMARY KEY (template_version_id, name)
);
COMMENT ON TABLE template_version_variables IS 'Terraform variables of a version with the values that its builds use.';

CREATE TABLE template_version_workspace_tags (
  template_version_id uuid NOT NULL REFERENCES template_versions (id) ON DELETE CASCADE,
  key text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (template_version_id, key)
);
COMMENT ON TABLE template_version_workspace_tags IS 'coder_workspace_tags: the values are expressions, evaluated for each build.';

CREATE TABLE template_version_external_auth (
  template_version_id uuid NOT NULL REFERENCES template_versions (id) ON DELETE CASCADE,
  provider_id text NOT NULL,
  optional boolean NOT NULL DEFAULT false,
  position integer NOT NULL DEFAULT 0,
  PRIMARY KEY (template_version_id, provider_id)
);
COMMENT ON TABLE template_version_external_auth IS 'External auth providers that a version asks for.';

CREATE TABLE template_version_terraform_values (
  template_version_id uuid PRIMARY KEY REFERENCES template_versions (id) ON DELETE CASCADE,
  updated_at timestamptz NOT NULL,
  cached_plan jsonb NOT NULL DEFAULT '{}',
  cached_module_files uuid REFERENCES files (id),
  provisionerd_version text NOT NULL DEFAULT ''
);
COMMENT ON TABLE template_version_terraform_values IS 'Plan and module archive of the import, which dynamic parameters read.';

CREATE TABLE template_version_presets (
  id uuid PRIMARY KEY,
  template_version_id uuid NOT NULL REFERENCES template_versions (id) ON DELETE CASCADE,
  name text NOT NULL,
  description varchar(128) NOT NULL DEFAULT '',
  icon varchar(256) NOT NULL DEFAULT '',
  is_default boolean NOT NULL DEFAULT false,
  desired_instances integer,
  invalidate_after_secs integer,
  scheduling_timezone text NOT NULL DEFAULT '',
  prebuild_status prebuild_status NOT NULL DEFAULT 'healthy',
  last_invalidated_at timestamptz,
  created_at timestamptz NOT NULL,
  UNIQUE (template_version_id, name)
);
COMMENT ON TABLE template_version_presets IS 'Named sets of parameter values; with desired_instances also a pool of prebuilt workspaces.';
CREATE UNIQUE INDEX template_version_presets_one_default_idx ON template_version_presets (template_version_id) WHERE is_default;

CREATE TABLE template_version_preset_parameters (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  template_version_preset_id uuid NOT NULL REFERENCES template_version_presets (id) ON DELETE CASCADE,
  name text NOT NULL,
  value text NOT NULL
);
COMMENT ON TABLE template_version_preset_parameters IS 'Values of a preset.';
CREATE INDEX template_version_preset_parameters_preset_idx ON template_version_preset_parameters (template_version_preset_id);

CREATE TABLE template_version_preset_prebuild_schedules (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  preset_id uuid NOT NULL REFERENCES template_version_presets (id) ON DELETE CASCADE,
  cron_expression text NOT NULL,
  desired_instances integer NOT NULL
);
COMMENT ON TABLE template_version_preset_prebuild_schedules IS 'Hours in which a preset wants another number of prebuilt workspaces.';
CREATE INDEX template_version_preset_prebuild_schedules_preset_idx ON template_version_preset_prebuild_schedules (preset_id);
