import { contract } from "#codersdk/contract.ts";
import type { Template, UpdateTemplateMeta } from "#codersdk/templates.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { type AnyOption, option, type Option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { printable } from "../cliui/table.ts";
import { stampDisplay } from "../cliui/times.ts";
import { UserError } from "../errors.ts";
import { orgOption } from "../organization.ts";
import { connect } from "../session.ts";
import { confirmUnlessYes, yes } from "../transition.ts";
import { getTemplate } from "./find.ts";

const days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;

const options = {
  name: option(types.string, { flag: "name", description: "New name." }),
  displayName: option(types.string, { flag: "display-name", description: "Name for people." }),
  description: option(types.string, { flag: "description", description: "Description." }),
  deprecated: option(types.string, {
    flag: "deprecated",
    description: "Why the template is not to be used any more: no new workspaces. Empty: it is again.",
  }),
  icon: option(types.string, { flag: "icon", description: "Path or URL of the icon." }),
  defaultTtl: option(types.duration, {
    flag: "default-ttl",
    description: "How long after its start a workspace stops, where its owner says nothing else.",
  }),
  activityBump: option(types.duration, {
    flag: "activity-bump",
    description: "How much later a workspace stops when it is used.",
  }),
  autostartDays: option(types.someOf(...days, "all"), {
    flag: "autostart-requirement-weekdays",
    description: "Days on which workspaces may start by themselves.",
  }),
  autostopDays: option(types.someOf(...days, "none"), {
    flag: "autostop-requirement-weekdays",
    description: "Days on which workspaces must stop.",
  }),
  autostopWeeks: option(types.int, {
    flag: "autostop-requirement-weeks",
    description: "Weeks between two stops that must be.",
  }),
  failureTtl: option(types.duration, {
    flag: "failure-ttl",
    default: "0h",
    description: "After this time a failed start is stopped.",
  }),
  dormancyThreshold: option(types.duration, {
    flag: "dormancy-threshold",
    default: "0h",
    description: "After this time without use a workspace becomes dormant.",
  }),
  dormancyDeletion: option(types.duration, {
    flag: "dormancy-auto-deletion",
    default: "0h",
    description: "After this time a dormant workspace is deleted.",
  }),
  userCancel: option(types.bool, {
    flag: "allow-user-cancel-workspace-jobs",
    default: "true",
    description: "Users may cancel builds of their workspaces.",
  }),
  userAutostart: option(types.bool, {
    flag: "allow-user-autostart",
    default: "true",
    description: "Users may set when their workspaces start.",
  }),
  userAutostop: option(types.bool, {
    flag: "allow-user-autostop",
    default: "true",
    description: "Users may set when their workspaces stop.",
  }),
  requireActive: option(types.bool, {
    flag: "require-active-version",
    default: "false",
    description: "Workspaces must be built with the active version.",
  }),
  private: option(types.bool, {
    flag: "private",
    default: "false",
    description: "Only those who were given a role on the template may use it.",
  }),
} as const;

/** What was given as an option, else what the template has: the server takes whole sets of fields. */
function update(inv: Invocation, now: Template): UpdateTemplateMeta {
  const pick = <T>(one: Option<T>, current: T): T => (inv.values.isSet(one) ? inv.get(one) : current);
  const starts = inv.get(options.autostartDays);
  const stops = inv.get(options.autostopDays);
  if (inv.values.isSet(options.deprecated) && inv.get(options.deprecated).length > 1_000) {
    throw new UserError("the reason of --deprecated has more than 1000 characters");
  }
  return {
    name: pick(options.name, now.name),
    display_name: pick(options.displayName, now.display_name),
    description: pick(options.description, now.description),
    icon: pick(options.icon, now.icon),
    default_ttl_ms: pick(options.defaultTtl, now.default_ttl_ms),
    activity_bump_ms: pick(options.activityBump, now.activity_bump_ms),
    autostart_requirement: inv.values.isSet(options.autostartDays)
      ? { days_of_week: starts.includes("all") ? [...days] : [...starts] }
      : now.autostart_requirement,
    autostop_requirement: {
      days_of_week: inv.values.isSet(options.autostopDays)
        ? stops.filter((day) => day !== "none")
        : now.autostop_requirement.days_of_week,
      weeks: pick(options.autostopWeeks, now.autostop_requirement.weeks),
    },
    failure_ttl_ms: pick(options.failureTtl, now.failure_ttl_ms),
    time_til_dormant_ms: pick(options.dormancyThreshold, now.time_til_dormant_ms),
    time_til_dormant_autodelete_ms: pick(options.dormancyDeletion, now.time_til_dormant_autodelete_ms),
    allow_user_cancel_workspace_jobs: pick(options.userCancel, now.allow_user_cancel_workspace_jobs),
    allow_user_autostart: pick(options.userAutostart, now.allow_user_autostart),
    allow_user_autostop: pick(options.userAutostop, now.allow_user_autostop),
    require_active_version: pick(options.requireActive, now.require_active_version),
    deprecation_message: inv.values.isSet(options.deprecated) ? inv.get(options.deprecated) : undefined,
    disable_everyone_group_access: inv.values.isSet(options.private) ? inv.get(options.private) : undefined,
  };
}

export const editCommand: Command = {
  use: "edit <template>",
  short: "Change a template's settings.",
  options: [...Object.values<AnyOption>(options), yes, orgOption],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const { client } = await connect(inv);
    const template = await getTemplate(inv, client, inv.args[0] ?? "");
    await confirmUnlessYes(inv, `Change the template ${JSON.stringify(printable(template.name))}?`);
    await client.call(contract.templates.update, {
      params: { template: template.id },
      body: update(inv, template),
      signal: inv.signal,
    });
    inv.stdout.write(`Updated template metadata at ${stampDisplay(inv.clock.now())}!\n`);
  },
};
