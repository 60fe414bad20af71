-- Workspaces, their builds, and what builds leave behind: resources, agents, apps.

CREATE TYPE automatic_updates AS ENUM ('always', 'never');
CREATE TYPE workspace_transition AS ENUM ('start', 'stop', 'delete');
CREATE TYPE build_reason AS ENUM (
  'initiator', 'autostart', 'autostop', 'dormancy', 'failedstop', 'autodelete', 'dashboard', 'cli', 'ssh_connection',
  'vscode_connection', 'jetbrains_connection', 'task_auto_pause', 'task_manual_pause', 'task_resume'
);
CREATE TYPE workspace_agent_lifecycle_state AS ENUM (
  'created', 'starting', 'start_timeout', 'start_error', 'ready', 'shutting_down', 'shutdown_timeout',
  'shutdown_error', 'off'
);
CREATE TYPE workspace_agent_subsystem AS ENUM ('envbuilder', 'envbox', 'exectrace');
CREATE TYPE display_app AS ENUM ('vscode', 'vscode_insiders', 'web_terminal', 'ssh_helper', 'port_forwarding_helper');
CREATE TYPE agent_key_scope AS ENUM ('all', 'no_user_data');
CREATE TYPE workspace_agent_monitor_state AS ENUM ('OK', 'NOK');
CREATE TYPE workspace_agent_script_timing_stage AS ENUM ('start', 'stop', 'cron');
CREATE TYPE workspace_agent_script_timing_status AS ENUM ('ok', 'exit_failure', 'timed_out', 'pipes_left_open');
CREATE TYPE workspace_app_health AS ENUM ('disabled', 'initializing', 'healthy', 'unhealthy');
CREATE TYPE workspace_app_open_in AS ENUM ('tab', 'window', 'slim-window');
CREATE TYPE workspace_app_status_state AS ENUM ('working', 'complete', 'failure', 'idle');

CREATE TABLE workspaces (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL REFERENCES users (id),
  organization_id uuid NOT NULL REFERENCES organizations (id),
  template_id uuid NOT NULL REFERENCES templates (id),
  name varchar(64) NOT NULL CHECK (name <> ''),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  deleted boolean NOT NULL DEFAULT false,
  autostart_schedule text CHECK (autostart_schedule <> ''),
  next_start_at timestamptz,
  ttl_ms bigint CHECK (ttl_ms > 0),
  last_used_at timestamptz,
  dormant_at timestamptz,
  deleting_at timestamptz,
  automatic_updates automatic_updates NOT NULL DEFAULT 'never',
  favorite boolean NOT NULL DEFAULT false,
  user_acl jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(user_acl) = 'object'),
  group_acl jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(group_acl) = 'object')
)
WITH (fillfactor = 85);
COMMENT ON TABLE workspaces IS 'Workspaces. What they are made of now is told by their latest build.';
COMMENT ON COLUMN workspaces.user_acl IS '{user id: {"permissions": [action]}}; group_acl likewise.';
COMMENT ON COLUMN workspaces.last_used_at IS 'Null: never. Batched, so up to a minute old.';
CREATE UNIQUE INDEX workspaces_owner_name_idx ON workspaces (owner_id, lower(name)) WHERE NOT deleted;
CREATE INDEX workspaces_organization_idx ON workspaces (organization_id) WHERE NOT deleted;
CREATE INDEX workspaces_template_idx ON workspaces (template_id) WHERE NOT deleted;
CREATE INDEX workspaces_next_start_idx ON workspaces (next_start_at) WHERE NOT deleted AND next_start_at IS NOT NULL;

-- A dormant workspace does not start itself, nor one without a schedule.
CREATE FUNCTION workspace_next_start_needs_schedule() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.dormant_at IS NOT NULL OR NEW.autostart_schedule IS NULL THEN
    NEW.next_start_at := NULL;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER workspace_next_start_needs_schedule
  BEFORE INSERT OR UPDATE OF next_start_at, autostart_schedule, dormant_at ON workspaces
  FOR EACH ROW EXECUTE FUNCTION workspace_next_start_needs_schedule();

ALTER TABLE provisioner_jobs ADD CONSTRAINT provisioner_jobs_workspace_fkey
  FOREIGN KEY (workspace_id) REFERENCES workspaces (id) ON DELETE CASCADE;

CREATE TABLE workspace_builds (
  id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  build_number integer NOT NULL CHECK (build_number > 0),
  template_version_id uuid NOT NULL REFERENCES template_versions (id) ON DELETE CASCADE,
  template_version_preset_id uuid REFERENCES template_version_presets (id) ON DELETE SET NULL,
  job_id uuid NOT NULL UNIQUE REFERENCES provisioner_jobs (id) ON DELETE CASCADE,
  initiator_id uuid NOT NULL,
  transition workspace_transition NOT NULL,
  reason build_reason NOT NULL DEFAULT 'initiator',
  deadline timestamptz,
  max_deadline timestamptz,
  daily_cost integer NOT NULL DEFAULT 0,
  has_ai_task boolean,
  has_external_agent boolean,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  UNIQUE (workspace_id, build_number),
  CONSTRAINT workspace_builds_deadline_below_max
    CHECK (max_deadline IS NULL OR (deadline IS NOT NULL AND deadline <= max_deadline))
);
COMMENT ON TABLE workspace_builds IS 'Every start, stop and delete of a workspace, numbered from 1. The highest number is the latest.';
CREATE INDEX workspace_builds_template_version_idx ON workspace_builds (template_version_id);
CREATE INDEX workspace_builds_initiator_idx ON workspace_builds (initiator_id);
CREATE INDEX workspace_builds_deadline_idx ON workspace_builds (deadline) WHERE deadline IS NOT NULL;

CREATE TABLE workspace_build_states (
  workspace_build_id uuid PRIMARY KEY REFERENCES workspace_builds (id) ON DELETE CASCADE,
  state bytea NOT NULL
);
COMMENT ON TABLE workspace_build_states IS 'Provisioner state after a build. Apart from the build, so that reading builds never reads states.';

CREATE TABLE workspace_build_parameters (
  workspace_build_id uuid NOT NULL REFERENCES workspace_builds (id) ON DELETE CASCADE,
  name text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (workspace_build_id, name)
);
COMMENT ON TABLE workspace_build_parameters IS 'Every parameter value of a build, defaults too.';

CREATE TABLE workspace_modules (
  id uuid PRIMARY KEY,
  job_id uuid NOT NULL REFERENCES provisioner_jobs (id) ON DELETE CASCADE,
  transition workspace_transition NOT NULL,
  source text NOT NULL,
  version text NOT NULL,
  key text NOT NULL,
  created_at timestamptz NOT NULL
);
COMMENT ON TABLE workspace_modules IS 'Terraform modules that a job used.';
CREATE INDEX workspace_modules_job_idx ON workspace_modules (job_id);

CREATE TABLE workspace_resources (
  id uuid PRIMARY KEY,
  job_id uuid NOT NULL REFERENCES provisioner_jobs (id) ON DELETE CASCADE,
  transition workspace_transition NOT NULL,
  type varchar(192) NOT NULL,
  name varchar(64) NOT NULL,
  hide boolean NOT NULL DEFAULT false,
  icon varchar(256) NOT NULL DEFAULT '',
  instance_type varchar(256),
  daily_cost integer NOT NULL DEFAULT 0,
  module_path text,
  created_at timestamptz NOT NULL
);
COMMENT ON TABLE workspace_resources IS 'Infrastructure as a job left it. Imports have resources too, one set for start and one for stop.';
CREATE INDEX workspace_resources_job_idx ON workspace_resources (job_id);

CREATE TABLE workspace_resource_metadata (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  workspace_resource_id uuid NOT NULL REFERENCES workspace_resources (id) ON DELETE CASCADE,
  key varchar(1024) NOT NULL,
  value varchar(65536),
  sensitive boolean NOT NULL DEFAULT false,
  UNIQUE (workspace_resource_id, key)
);
COMMENT ON TABLE workspace_resource_metadata IS 'coder_metadata items, in the order of id.';

CREATE TABLE workspace_agents (
  id uuid PRIMARY KEY,
  parent_id uuid REFERENCES workspace_agents (id) ON DELETE CASCADE,
  resource_id uuid NOT NULL REFERENCES workspace_resources (id) ON DELETE CASCADE,
  name varchar(64) NOT NULL,
  auth_token uuid NOT NULL,
  auth_instance_id varchar(256),
  api_key_scope agent_key_scope NOT NULL DEFAULT 'all',
  architecture varchar(64) NOT NULL,
  operating_system varchar(64) NOT NULL,
  environment_variables jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(environment_variables) = 'object'),
  directory varchar(4096) NOT NULL DEFAULT '',
  expanded_directory varchar(4096) NOT NULL DEFAULT '',
  connection_timeout_seconds integer NOT NULL DEFAULT 0,
  troubleshooting_url text NOT NULL DEFAULT '',
  motd_file text NOT NULL DEFAULT '',
  display_apps display_app[] NOT NULL DEFAULT '{}',
  display_order integer NOT NULL DEFAULT 0,
  version text NOT NULL DEFAULT '',
  api_version text NOT NULL DEFAULT '',
  subsystems workspace_agent_subsystem[] NOT NULL DEFAULT '{}',
  lifecycle_state workspace_agent_lifecycle_state NOT NULL DEFAULT 'created',
  started_at timestamptz,
  ready_at timestamptz,
  first_connected_at timestamptz,
  last_connected_at timestamptz,
  disconnected_at timestamptz,
  last_connected_replica_id uuid,
  logs_length integer NOT NULL DEFAULT 0,
  logs_overflowed boolean NOT NULL DEFAULT false,
  deleted boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT workspace_agents_logs_bounded CHECK (logs_length <= 1048576)
)
WITH (fillfactor = 70);
COMMENT ON TABLE workspace_agents IS 'Processes that dial home from workspaces. Earlier builds'' agents are marked deleted and cannot sign in.';
CREATE INDEX workspace_agents_resource_idx ON workspace_agents (resource_id);
CREATE INDEX workspace_agents_parent_idx ON workspace_agents (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX workspace_agents_auth_token_idx ON workspace_agents (auth_token) WHERE NOT deleted;
CREATE INDEX workspace_agents_auth_instance_idx ON workspace_agents (auth_instance_id) WHERE NOT deleted AND auth_instance_id IS NOT NULL;

CREATE TABLE workspace_agent_log_sources (
  workspace_agent_id uuid NOT NULL REFERENCES workspace_agents (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  display_name varchar(127) NOT NULL,
  icon text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (workspace_agent_id, id)
);
COMMENT ON TABLE workspace_agent_log_sources IS 'Who writes into an agent''s log: one per script.';

CREATE TABLE workspace_agent_scripts (
  id uuid PRIMARY KEY,
  workspace_agent_id uuid NOT NULL REFERENCES workspace_agents (id) ON DELETE CASCADE,
  log_source_id uuid NOT NULL,
  log_path text NOT NULL,
  display_name text NOT NULL,
  script text NOT NULL,
  cron text NOT NULL,
  start_blocks_login boolean NOT NULL,
  run_on_start boolean NOT NULL,
  run_on_stop boolean NOT NULL,
  timeout_seconds integer NOT NULL,
  created_at timestamptz NOT NULL
);
COMMENT ON TABLE workspace_agent_scripts IS 'coder_script blocks of an agent.';
CREATE INDEX workspace_agent_scripts_agent_idx ON workspace_agent_scripts (workspace_agent_id);

CREATE TABLE workspace_agent_script_timings (
  script_id uuid NOT NULL REFERENCES workspace_agent_scripts (id) ON DELETE CASCADE,
  stage workspace_agent_script_timing_stage NOT NULL,
  status workspace_agent_script_timing_status NOT NULL,
  exit_code integer NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL,
  PRIMARY KEY (script_id, started_at)
);
COMMENT ON TABLE workspace_agent_script_timings IS 'Each run of a script.';

CREATE TABLE workspace_agent_logs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agent_id uuid NOT NULL REFERENCES workspace_agents (id) ON DELETE CASCADE,
  log_source_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  level log_level NOT NULL DEFAULT 'info',
  output text NOT NULL
);
COMMENT ON TABLE workspace_agent_logs IS 'Output of scripts. Readers follow by id.';
CREATE INDEX workspace_agent_logs_agent_idx ON workspace_agent_logs (agent_id, id);

CREATE TABLE workspace_agent_metadata (
  workspace_agent_id uuid NOT NULL REFERENCES workspace_agents (id) ON DELETE CASCADE,
  key varchar(127) NOT NULL,
  display_name varchar(127) NOT NULL,
  script varchar(65535) NOT NULL,
  interval_seconds bigint NOT NULL,
  timeout_seconds bigint NOT NULL,
  display_order integer NOT NULL DEFAULT 0,
  value varchar(65535) NOT NULL DEFAULT '',
  error varchar(65535) NOT NULL DEFAULT '',
  collected_at timestamptz,
  PRIMARY KEY (workspace_agent_id, key)
)
WITH (fillfactor = 50);
COMMENT ON TABLE workspace_agent_metadata IS 'Values that an agent collects again and again, with their scripts.';

CREATE TABLE workspace_agent_memory_monitors (
  agent_id uuid PRIMARY KEY REFERENCES workspace_agents (id) ON DELETE CASCADE,
  enabled boolean NOT NULL,
  threshold integer NOT NULL,
  state workspace_agent_monitor_state NOT NULL DEFAULT 'OK',
  debounced_until timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
COMMENT ON TABLE workspace_agent_memory_monitors IS 'Warn the owner when memory fills. Threshold in percent.';

CREATE TABLE workspace_agent_volume_monitors (
  agent_id uuid NOT NULL REFERENCES workspace_agents (id) ON DELETE CASCADE,
  path text NOT NULL,
  enabled boolean NOT NULL,
  threshold integer NOT NULL,
  state workspace_agent_monitor_state NOT NULL DEFAULT 'OK',
  debounced_until timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (agent_id, path)
);
COMMENT ON TABLE workspace_agent_volume_monitors IS 'Warn the owner when a volume fills. Threshold in percent.';

CREATE TABLE workspace_agent_devcontainers (
  id uuid PRIMARY KEY,
  workspace_agent_id uuid NOT NULL REFERENCES workspace_agents (id) ON DELETE CASCADE,
  name text NOT NULL,
  workspace_folder text NOT NULL,
  config_path text NOT NULL,
  subagent_id uuid REFERENCES workspace_agents (id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL
);
COMMENT ON TABLE workspace_agent_devcontainers IS 'coder_devcontainer blocks of an agent.';
CREATE INDEX workspace_agent_devcontainers_agent_idx ON workspace_agent_devcontainers (workspace_agent_id);

CREATE TABLE workspace_agent_stats (
  id uuid PRIMARY KEY,
  created_at timestamptz NOT NULL,
  user_id uuid NOT NULL,
  agent_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  template_id uuid NOT NULL,
  connections_by_proto jsonb NOT NULL DEFAULT '{}',
  connection_count bigint NOT NULL DEFAULT 0,
  rx_packets bigint NOT NULL DEFAULT 0,
  rx_bytes bigint NOT NULL DEFAULT 0,
  tx_packets bigint NOT NULL DEFAULT 0,
  tx_bytes bigint NOT NULL DEFAULT 0,
  connection_median_latency_ms double precision NOT NULL DEFAULT -1,
  session_count_vscode bigint NOT NULL DEFAULT 0,
  session_count_jetbrains bigint NOT NULL DEFAULT 0,
  session_count_reconnecting_pty bigint NOT NULL DEFAULT 0,
  session_count_ssh bigint NOT NULL DEFAULT 0,
  usage boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE workspace_agent_stats IS 'What agents report of their traffic and sessions, in batches; purged when rolled up.';
CREATE INDEX workspace_agent_stats_created_idx ON workspace_agent_stats (created_at);
CREATE INDEX workspace_agent_stats_template_idx ON workspace_agent_stats (template_id, created_at, user_id);

CREATE TABLE workspace_apps (
  id uuid PRIMARY KEY,
  agent_id uuid NOT NULL REFERENCES workspace_agents (id) ON DELETE CASCADE,
  slug text NOT NULL,
  display_name varchar(64) NOT NULL,
  icon varchar(256) NOT NULL,
  command varchar(65534),
  url varchar(65534),
  external boolean NOT NULL DEFAULT false,
  subdomain boolean NOT NULL DEFAULT false,
  sharing_level app_sharing_level NOT NULL DEFAULT 'owner',
  open_in workspace_app_open_in NOT NULL DEFAULT 'slim-window',
  hidden boolean NOT NULL DEFAULT false,
  display_order integer NOT NULL DEFAULT 0,
  display_group text,
  tooltip varchar(2048) NOT NULL DEFAULT '',
  healthcheck_url text NOT NULL DEFAULT '',
  healthcheck_interval integer NOT NULL DEFAULT 0,
  healthcheck_threshold integer NOT NULL DEFAULT 0,
  health workspace_app_health NOT NULL DEFAULT 'disabled',
  created_at timestamptz NOT NULL,
  UNIQUE (agent_id, slug)
);
COMMENT ON TABLE workspace_apps IS 'coder_app blocks of an agent.';

CREATE TABLE workspace_app_statuses (
  id uuid PRIMARY KEY,
  agent_id uuid NOT NULL REFERENCES workspace_agents (id) ON DELETE CASCADE,
  app_id uuid NOT NULL REFERENCES workspace_apps (id) ON DELETE CASCADE,
  workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  state workspace_app_status_state NOT NULL,
  message text NOT NULL,
  uri text,
  created_at timestamptz NOT NULL
);
COMMENT ON TABLE workspace_app_statuses IS 'What an app said about its work, newest last.';
CREATE INDEX workspace_app_statuses_workspace_idx ON workspace_app_statuses (workspace_id, created_at DESC);
CREATE INDEX workspace_app_statuses_app_idx ON workspace_app_statuses (app_id, created_at DESC);
