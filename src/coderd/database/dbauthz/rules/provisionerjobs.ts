import type { provisionerjobsQueries } from "../../gen/provisionerjobs.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { template, workspace } from "../kinds.ts";
import { templateOfJob, workspaceOfJob } from "../load.ts";
import { either, filter, open, parent, system } from "../rule.ts";

/** Whoever may read what a job is for may read the job. */
const readable = either(parent("read", workspace, workspaceOfJob), parent("read", template, templateOfJob));
const works = system("update", "the work of daemons and of the reaper", "provisioner_jobs");
const looks = system("read", "the work of daemons and of the reaper", "provisioner_jobs");
const place = open("a place in the queue tells nothing about the job");

export const provisionerjobsRules = {
  insertProvisionerJob: open("the right to what the job is for is checked by its builder"),
  getProvisionerJobById: either(
    parent("read", workspace, (call, { id }: { readonly id: string }) => workspaceOfJob(call, { jobId: id })),
    parent("read", template, (call, { id }: { readonly id: string }) => templateOfJob(call, { jobId: id })),
  ),
  lockProvisionerJob: works,
  lockProvisionerJobIfFree: works,
  acquireProvisionerJob: works,
  touchProvisionerJob: works,
  completeProvisionerJob: works,
  cancelProvisionerJob: works,
  getHungProvisionerJobIds: looks,
  getUnfinishedJobsOfWorkers: looks,
  insertProvisionerJobLogs: works,
  addProvisionerJobLogsLength: works,
  getProvisionerJobLogsAfter: readable,
  getLastProvisionerJobLog: looks,
  insertProvisionerJobTimings: works,
  getProvisionerJobTimings: readable,
  getProvisionerJobQueues: place,
  getEligibleDaemons: place,
  getOrganizationJobs: filter(),
} satisfies RulesOf<typeof provisionerjobsQueries>;
