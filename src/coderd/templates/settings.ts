/** Settings of templates: what requests ask for, checked and as columns. All problems of numbers come together. */
import type { CreateTemplateRequest, UpdateTemplateMeta } from "#codersdk/templates.ts";
import type { ValidationError } from "#codersdk/response.ts";
import type { Template } from "../database/gen/models.gen.ts";
import { Invalid } from "../errors.ts";
import { allDays, daysFromNames } from "./days.ts";

/** Columns that both requests set. */
export type Settings = Pick<
  Template,
  | "displayName"
  | "description"
  | "icon"
  | "defaultTtlMs"
  | "activityBumpMs"
  | "failureTtlMs"
  | "timeTilDormantMs"
  | "timeTilDormantAutodeleteMs"
  | "autostopRequirementDaysOfWeek"
  | "autostopRequirementWeeks"
  | "autostartDaysOfWeek"
  | "allowUserAutostart"
  | "allowUserAutostop"
  | "allowUserCancelWorkspaceJobs"
  | "requireActiveVersion"
  | "maxPortShareLevel"
  | "useClassicParameterFlow"
  | "corsBehavior"
>;

const hourMs = 3_600_000;
const minuteMs = 60_000;
const positive = "Must be a positive integer.";

export function settingsOfCreate(body: CreateTemplateRequest): Settings {
  const message = "Invalid create template request.";
  const settings: Settings = {
    displayName: body.display_name ?? "",
    description: body.description ?? "",
    icon: body.icon ?? "",
    defaultTtlMs: body.default_ttl_ms ?? 0,
    activityBumpMs: body.activity_bump_ms ?? hourMs,
    failureTtlMs: body.failure_ttl_ms ?? 0,
    timeTilDormantMs: body.dormant_ttl_ms ?? 0,
    timeTilDormantAutodeleteMs: body.delete_ttl_ms ?? 0,
    autostopRequirementDaysOfWeek: days(message, "autostop_requirement", body.autostop_requirement) ?? 0,
    autostopRequirementWeeks: body.autostop_requirement?.weeks ?? 0,
    autostartDaysOfWeek: days(message, "autostart_requirement", body.autostart_requirement) ?? allDays,
    allowUserAutostart: body.allow_user_autostart ?? true,
    allowUserAutostop: body.allow_user_autostop ?? true,
    allowUserCancelWorkspaceJobs: body.allow_user_cancel_workspace_jobs ?? false,
    requireActiveVersion: body.require_active_version,
    maxPortShareLevel: body.max_port_share_level ?? "owner",
    useClassicParameterFlow: body.template_use_classic_parameter_flow ?? false,
    corsBehavior: body.cors_behavior ?? "simple",
  };
  const problems = [
    ...negative("default_ttl_ms", settings.defaultTtlMs),
    ...negative("activity_bump_ms", settings.activityBumpMs),
    ...weeksProblems(settings.autostopRequirementWeeks),
    ...negative("failure_ttl_ms", settings.failureTtlMs),
    ...negative("time_til_dormant_ms", settings.timeTilDormantMs),
    ...negative("time_til_dormant_autodeletion_ms", settings.timeTilDormantAutodeleteMs),
    ...lengthProblems(settings),
  ];
  return refuse(message, problems, settings);
}

/** What is absent stays as it is. */
export function settingsOfUpdate(before: Template, body: UpdateTemplateMeta): Settings {
  const message = "Invalid request to update template metadata!";
  const settings: Settings = {
    displayName: body.display_name ?? before.displayName,
    description: body.description ?? before.description,
    icon: body.icon ?? before.icon,
    defaultTtlMs: body.default_ttl_ms ?? before.defaultTtlMs,
    activityBumpMs: body.activity_bump_ms ?? before.activityBumpMs,
    failureTtlMs: body.failure_ttl_ms ?? before.failureTtlMs,
    timeTilDormantMs: body.time_til_dormant_ms ?? before.timeTilDormantMs,
    timeTilDormantAutodeleteMs: body.time_til_dormant_autodelete_ms ?? before.timeTilDormantAutodeleteMs,
    autostopRequirementDaysOfWeek:
      days(message, "autostop_requirement", body.autostop_requirement) ??
      before.autostopRequirementDaysOfWeek,
    autostopRequirementWeeks: body.autostop_requirement?.weeks ?? before.autostopRequirementWeeks,
    autostartDaysOfWeek:
      days(message, "autostart_requirement", body.autostart_requirement) ?? before.autostartDaysOfWeek,
    allowUserAutostart: body.allow_user_autostart ?? before.allowUserAutostart,
    allowUserAutostop: body.allow_user_autostop ?? before.allowUserAutostop,
    allowUserCancelWorkspaceJobs:
      body.allow_user_cancel_workspace_jobs ?? before.allowUserCancelWorkspaceJobs,
    requireActiveVersion: body.require_active_version ?? before.requireActiveVersion,
    maxPortShareLevel: body.max_port_share_level ?? before.maxPortShareLevel,
    useClassicParameterFlow: body.use_classic_parameter_flow ?? before.useClassicParameterFlow,
    corsBehavior: body.cors_behavior ?? before.corsBehavior,
  };
  const problems = [
    ...negative("default_ttl_ms", settings.defaultTtlMs),
    ...negative("activity_bump_ms", settings.activityBumpMs),
    ...weeksProblems(settings.autostopRequirementWeeks),
    ...belowMinute("failure_ttl_ms", settings.failureTtlMs),
    ...belowMinute("time_til_dormant_ms", settings.timeTilDormantMs),
    ...belowMinute("time_til_dormant_autodelete_ms", settings.timeTilDormantAutodeleteMs),
    ...lengthProblems(settings),
  ];
  return refuse(message, problems, settings);
}

function days(
  message: string,
  field: string,
  requirement: { readonly days_of_week: readonly string[] } | undefined,
): number | undefined {
  return requirement && daysFromNames(requirement.days_of_week, message, `${field}.days_of_week`);
}

const negative = (field: string, value: number): ValidationError[] =>
  value < 0 ? [{ field, detail: positive }] : [];

const belowMinute = (field: string, value: number): ValidationError[] =>
  value < 0 || (value > 0 && value < minuteMs)
    ? [{ field, detail: "Value must be at least one minute." }]
    : [];

function weeksProblems(weeks: number): ValidationError[] {
  const field = "autostop_requirement.weeks";
  if (weeks < 0) return [{ field, detail: positive }];
  return weeks > 16 ? [{ field, detail: "Must be less than 16." }] : [];
}

function lengthProblems({ displayName, description, icon }: Settings): ValidationError[] {
  const limits = [
    ["display_name", displayName, 64],
    ["description", description, 128],
    ["icon", icon, 256],
  ] as const;
  return limits
    .filter(([, value, most]) => Array.from(value).length > most)
    .map(([field, , most]) => ({ field, detail: `Must be at most ${most} characters long.` }));
}

function refuse(message: string, problems: readonly ValidationError[], settings: Settings): Settings {
  if (problems.length > 0) throw new Invalid(message, { validations: problems });
  return settings;
}
