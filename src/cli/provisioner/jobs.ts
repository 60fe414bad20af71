import { contract } from "#codersdk/contract.ts";
import { ProvisionerJob } from "#codersdk/provisionerjobs.ts";
import type { Column } from "../cliui/table.ts";
import type { Command } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { timeDisplay } from "../cliui/times.ts";
import { UserError } from "../errors.ts";
import { orgOption, pickOrganization } from "../organization.ts";
import { tableOutput, toJson } from "../output.ts";
import { connect } from "../session.ts";
import { tagsCell } from "./list.ts";

interface Row {
  readonly job: ProvisionerJob;
  readonly organization: string;
}

const queueOf = (job: ProvisionerJob): string =>
  job.queue_position > 0 ? `${job.queue_position}/${job.queue_size}` : "";

const columns: readonly Column<Row>[] = [
  { name: "id", cell: ({ job }) => job.id },
  { name: "created at", cell: ({ job }) => timeDisplay(job.created_at) },
  { name: "started at", cell: ({ job }) => timeDisplay(job.started_at) },
  { name: "completed at", cell: ({ job }) => timeDisplay(job.completed_at) },
  { name: "canceled at", cell: ({ job }) => timeDisplay(job.canceled_at) },
  { name: "error", cell: ({ job }) => job.error ?? "" },
  { name: "error code", cell: ({ job }) => job.error_code ?? "" },
  { name: "status", cell: ({ job }) => job.status },
  { name: "worker id", cell: ({ job }) => job.worker_id ?? "" },
  { name: "worker name", cell: ({ job }) => job.worker_name ?? "" },
  { name: "file id", cell: ({ job }) => job.file_id },
  { name: "tags", cell: ({ job }) => tagsCell(job.tags) },
  { name: "queue position", cell: ({ job }) => String(job.queue_position) },
  { name: "queue size", cell: ({ job }) => String(job.queue_size) },
  { name: "organization id", cell: ({ job }) => job.organization_id },
  { name: "initiator id", cell: ({ job }) => job.initiator_id },
  { name: "template version id", cell: ({ job }) => job.input.template_version_id ?? "" },
  { name: "workspace build id", cell: ({ job }) => job.input.workspace_build_id ?? "" },
  { name: "type", cell: ({ job }) => job.type },
  { name: "available workers", cell: ({ job }) => `[${(job.available_workers ?? []).join(" ")}]` },
  { name: "template version name", cell: ({ job }) => job.metadata.template_version_name },
  { name: "template id", cell: ({ job }) => job.metadata.template_id },
  { name: "template name", cell: ({ job }) => job.metadata.template_name },
  { name: "template display name", cell: ({ job }) => job.metadata.template_display_name },
  { name: "template icon", cell: ({ job }) => job.metadata.template_icon },
  { name: "workspace id", cell: ({ job }) => job.metadata.workspace_id ?? "" },
  { name: "workspace name", cell: ({ job }) => job.metadata.workspace_name ?? "" },
  { name: "workspace build transition", cell: ({ job }) => job.metadata.workspace_build_transition ?? "" },
  { name: "logs overflowed", cell: ({ job }) => String(job.logs_overflowed) },
  { name: "organization", cell: ({ organization }) => organization },
  { name: "queue", cell: ({ job }) => queueOf(job) },
];
const output = tableOutput<Row>(columns, [
  "created at",
  "id",
  "type",
  "template display name",
  "status",
  "queue",
  "tags",
]);

const status = option(
  types.someOf("pending", "running", "succeeded", "canceling", "canceled", "failed", "unknown"),
  {
    flag: "status",
    shorthand: "s",
    env: "CODER_PROVISIONER_JOB_LIST_STATUS",
    description: "Only jobs in one of these states.",
  },
);
const limit = option(types.int, {
  flag: "limit",
  shorthand: "l",
  env: "CODER_PROVISIONER_JOB_LIST_LIMIT",
  default: "50",
  description: "How many to show.",
});
const initiator = option(types.string, {
  flag: "initiator",
  shorthand: "i",
  env: "CODER_PROVISIONER_JOB_LIST_INITIATOR",
  description: "Only jobs of that user; me: yours.",
});

const list: Command = {
  use: "list",
  aliases: ["ls"],
  short: "List the latest jobs.",
  options: [status, limit, initiator, orgOption, ...output.options],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const { client } = await connect(inv);
    const organization = await pickOrganization(inv, client);
    const states = inv.get(status);
    const who = inv.get(initiator);
    const user =
      who === ""
        ? undefined
        : await client.call(contract.users.get, { params: { user: who }, signal: inv.signal });
    const jobs = await client.call(contract.provisionerjobs.list, {
      params: { organization: organization.id },
      query: {
        limit: inv.get(limit),
        ...(states.length > 0 ? { status: states.join(",") } : {}),
        ...(user ? { initiator: user.id } : {}),
      },
      signal: inv.signal,
    });
    const rows = jobs.map((job) => ({ job, organization: organization.name }));
    const json = jobs.map((job) => ({
      ...Object(toJson(ProvisionerJob, job)),
      organization_name: organization.name,
      queue: queueOf(job),
    }));
    output.print(inv, rows, json, "No provisioner jobs found.");
  },
};

const cancel: Command = {
  use: "cancel <job_id>",
  short: "Cancel a job.",
  options: [orgOption],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const { client } = await connect(inv);
    const organization = await pickOrganization(inv, client);
    const job = await client.call(contract.provisionerjobs.get, {
      params: { organization: organization.id, job: inv.args[0] ?? "" },
      signal: inv.signal,
    });
    const { template_version_id: version, workspace_build_id: build } = job.input;
    switch (job.type) {
      case "workspace_build":
        if (!build) throw new UserError("the job names no build");
        await client.call(contract.workspacebuilds.cancel, {
          params: { workspacebuild: build },
          signal: inv.signal,
        });
        break;
      case "template_version_import":
        if (!version) throw new UserError("the job names no template version");
        await client.call(contract.templateversions.cancel, {
          params: { templateversion: version },
          signal: inv.signal,
        });
        break;
      case "template_version_dry_run":
        if (!version) throw new UserError("the job names no template version");
        await client.call(contract.templateversions.dryRunCancel, {
          params: { templateversion: version, jobID: job.id },
          signal: inv.signal,
        });
        break;
    }
    inv.stdout.write("Job canceled\n");
  },
};

export const jobsCommand: Command = {
  use: "jobs",
  aliases: ["job"],
  short: "Look at the jobs of provisioner daemons, and cancel them.",
  children: [list, cancel],
};
