/**
 * Templates and workspaces for tests, through the API: scripted by the echo engine (`echo` of newServer's options).
 *
 *     const server = await newServer(t, { echo: true });
 *     const owner = await server.createFirstUser();
 *     const template = await createEchoTemplate(owner, { graph: { resources: […] } });
 *     const workspace = await createWorkspace(owner, template.id);
 *     const build = await awaitBuild(owner, workspace.latest_build.id);
 */
import type { TestContext } from "node:test";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { eventually, tempDir, uniqueName } from "#testutil/testutil.ts";
import { drpcClient } from "#rpc/drpc/client.ts";
import { memoryStreams } from "#rpc/drpc/memory.ts";
import { Provisioner } from "#rpc/gen/provisionersdk_pb.js";
import { provisionerRouter } from "#provisionersdk/session.ts";
import { echoArchive, type EchoTemplate } from "#provisioner/echo/archive.ts";
import { echoEngine } from "#provisioner/echo/echo.ts";
import type { Client } from "#codersdk/client.ts";
import { files } from "#codersdk/files.ts";
import { type Template, templates } from "#codersdk/templates.ts";
import { type TemplateVersion, templateversions } from "#codersdk/templateversions.ts";
import { type WorkspaceBuild, workspacebuilds } from "#codersdk/workspacebuilds.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import { type CreateWorkspaceRequest, type Workspace, workspaces } from "#codersdk/workspaces.ts";
import type { BuiltinSettings } from "../provisionerdserver/start.ts";

interface Someone {
  readonly client: Client;
  readonly organizationId: string;
}

/** Built-in daemons that run echo archives. */
export async function echoDaemons(t: TestContext, count = 1): Promise<BuiltinSettings> {
  const router = provisionerRouter({
    engine: echoEngine,
    workDir: await tempDir(t),
    clock: realClock,
    rand: cryptoRand,
    log: discardLogger,
  });
  return {
    provisioners: { echo: drpcClient(Provisioner, memoryStreams(router)) },
    count,
    replicaName: uniqueName("test"),
  };
}

export async function createTemplateVersion(
  { client, organizationId }: Someone,
  template: EchoTemplate = {},
  more: { readonly templateId?: string } = {},
): Promise<TemplateVersion> {
  const archive = await echoArchive(template);
  const { hash: fileId } = await client.call(files.upload, {
    body: archive,
    headers: { "content-type": "application/x-tar" },
  });
  return client.call(templateversions.create, {
    params: { organization: organizationId },
    body: {
      storage_method: "file",
      file_id: fileId,
      provisioner: "echo",
      template_id: more.templateId ?? zeroUuid,
      tags: {},
    },
  });
}

export function awaitTemplateVersionJobCompleted({ client }: Someone, id: string): Promise<TemplateVersion> {
  return eventually("the import ends", async () => {
    const version = await client.call(templateversions.get, { params: { templateversion: id } });
    return version.job.completed_at ? version : false;
  });
}

export function createTemplate({ client, organizationId }: Someone, versionId: string): Promise<Template> {
  return client.call(templates.create, {
    params: { organization: organizationId },
    body: {
      name: uniqueName("tpl"),
      template_version_id: versionId,
      allow_user_cancel_workspace_jobs: true,
      disable_everyone_group_access: false,
      require_active_version: false,
      max_port_share_level: null,
      cors_behavior: null,
    },
  });
}

/** A template whose version was imported. */
export async function createEchoTemplate(someone: Someone, template: EchoTemplate = {}): Promise<Template> {
  const version = await createTemplateVersion(someone, template);
  await awaitTemplateVersionJobCompleted(someone, version.id);
  return createTemplate(someone, version.id);
}

export function createWorkspace(
  { client }: Someone,
  templateId: string,
  more: Partial<CreateWorkspaceRequest> = {},
): Promise<Workspace> {
  return client.call(workspaces.create, {
    params: { user: "me" },
    body: {
      template_id: templateId,
      template_version_id: zeroUuid,
      template_version_preset_id: zeroUuid,
      name: uniqueName("ws"),
      ...more,
    },
  });
}

export function awaitBuild({ client }: Someone, id: string): Promise<WorkspaceBuild> {
  return eventually("the build ends", async () => {
    const build = await client.call(workspacebuilds.get, { params: { workspacebuild: id } });
    return build.job.completed_at ? build : false;
  });
}

/** A workspace whose first build has ended. */
export async function createBuiltWorkspace(someone: Someone, templateId: string): Promise<Workspace> {
  const workspace = await createWorkspace(someone, templateId);
  await awaitBuild(someone, workspace.latest_build.id);
  return someone.client.call(workspaces.get, { params: { workspace: workspace.id } });
}
