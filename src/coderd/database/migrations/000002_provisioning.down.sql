DROP TABLE template_version_preset_prebuild_schedules, template_version_preset_parameters, template_version_presets,
  template_version_terraform_values, template_version_external_auth, template_version_workspace_tags,
  template_version_variables, template_version_parameters;
ALTER TABLE templates DROP CONSTRAINT templates_active_version_fkey;
DROP TABLE template_versions, templates, provisioner_job_timings, provisioner_job_logs;
DROP FUNCTION provisioner_tagset_contains;
DROP TABLE provisioner_jobs, provisioner_daemons, provisioner_keys, files;
DROP TYPE prebuild_status, parameter_form_type, cors_behavior, app_sharing_level, log_source, log_level,
  provisioner_job_timing_stage, provisioner_job_status, provisioner_job_type, provisioner_storage_method,
  provisioner_type;
