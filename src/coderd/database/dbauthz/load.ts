/**
 * What `parent` rules load to decide: one small statement each (queries/authz.sql). Names say what is given:
 * `workspaceOfAgent` takes `{ agentId }`; wrap it where a query calls that something else:
 *
 *     parent("update", workspace, (call, { id }) => workspaceOfAgent(call, { agentId: id }))
 */
import type { TemplateFacts, WorkspaceFacts } from "./kinds.ts";
import type { Load } from "./rule.ts";

/** The workspace with this id. */
export const workspaceById: Load<{ readonly id: string }, WorkspaceFacts> = ({ store, signal }, { id }) =>
  store.getWorkspaceFacts({ id }, { signal });

export const workspaceOf: Load<{ readonly workspaceId: string }, WorkspaceFacts> = (call, { workspaceId }) =>
  workspaceById(call, { id: workspaceId });

export const workspaceOfBuild: Load<{ readonly buildId: string }, WorkspaceFacts> = (call, { buildId }) =>
  call.store.getWorkspaceFactsByBuildId({ buildId }, { signal: call.signal });

export const workspaceOfResource: Load<{ readonly resourceId: string }, WorkspaceFacts> = (
  call,
  { resourceId },
) => call.store.getWorkspaceFactsByResourceId({ resourceId }, { signal: call.signal });

export const workspaceOfAgent: Load<{ readonly agentId: string }, WorkspaceFacts> = (call, { agentId }) =>
  call.store.getWorkspaceFactsByAgentId({ agentId }, { signal: call.signal });

export const workspaceOfApp: Load<{ readonly appId: string }, WorkspaceFacts> = (call, { appId }) =>
  call.store.getWorkspaceFactsByAppId({ appId }, { signal: call.signal });

/** Of a build's job; undefined for other jobs. */
export const workspaceOfJob: Load<{ readonly jobId: string }, WorkspaceFacts> = (call, { jobId }) =>
  call.store.getWorkspaceFactsByJobId({ jobId }, { signal: call.signal });

/** The template with this id. */
export const templateById: Load<{ readonly id: string }, TemplateFacts> = ({ store, signal }, { id }) =>
  store.getTemplateFacts({ id }, { signal });

export const templateOf: Load<{ readonly templateId: string }, TemplateFacts> = (call, { templateId }) =>
  templateById(call, { id: templateId });

export const templateOfVersion: Load<{ readonly templateVersionId: string }, TemplateFacts> = (
  { store, signal },
  { templateVersionId },
) => store.getTemplateFactsByVersionId({ versionId: templateVersionId }, { signal });

export const templateOfPreset: Load<{ readonly presetId: string }, TemplateFacts> = (call, { presetId }) =>
  call.store.getTemplateFactsByPresetId({ presetId }, { signal: call.signal });

/** Of an import's or a dry run's job; undefined for builds. */
export const templateOfJob: Load<{ readonly jobId: string }, TemplateFacts> = (call, { jobId }) =>
  call.store.getTemplateFactsByJobId({ jobId }, { signal: call.signal });
