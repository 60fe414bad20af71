/** Whole scenes for tests, made of dbgen's rows: a template that can be built, a workspace with its agent. */
import { realClock } from "#quartz/clock.ts";
import type { Store } from "../db.ts";
import * as dbgen from "../dbgen/dbgen.ts";
import * as workspaces from "../dbgen/workspaces.ts";
import type * as m from "../gen/models.gen.ts";

export interface Scene {
  readonly organization: m.Organization;
  readonly owner: m.User;
  readonly template: m.Template;
  readonly version: m.TemplateVersion;
}

export interface TemplateSeed {
  readonly owner?: m.User;
  readonly template?: Partial<m.Template>;
}

/** A member of the default organization, and a template whose active version was imported. */
export async function templateScene(store: Store, seed: TemplateSeed = {}): Promise<Scene> {
  const organization = await store.getDefaultOrganization({});
  const owner = seed.owner ?? (await dbgen.user(store));
  if (!seed.owner) {
    await dbgen.organizationMember(store, { userId: owner.id, organizationId: organization.id });
  }
  const template = await dbgen.template(store, {
    organizationId: organization.id,
    createdBy: owner.id,
    ...seed.template,
  });
  const version = await dbgen.templateVersion(store, {
    templateId: template.id,
    organizationId: organization.id,
    createdBy: owner.id,
  });
  return { organization, owner, template, version };
}

export interface WorkspaceSeed extends TemplateSeed {
  readonly scene?: Scene;
  readonly workspace?: Partial<m.Workspace>;
  readonly build?: Partial<Omit<m.WorkspaceBuild, "workspaceId" | "templateVersionId">>;
  /** Default: finished a moment ago. `{ startedAt: null, completedAt: null }` leaves it pending. */
  readonly job?: Partial<m.ProvisionerJob>;
  readonly agent?: Partial<Omit<m.WorkspaceAgent, "resourceId">>;
}

export interface WorkspaceScene extends Scene {
  readonly workspace: m.Workspace;
  readonly build: m.WorkspaceBuild;
  readonly job: m.ProvisionerJob;
  readonly resource: m.WorkspaceResource;
  readonly agent: m.WorkspaceAgent;
}

/** A workspace whose start build has succeeded, with one resource and one agent that has not connected yet. */
export async function workspaceScene(store: Store, seed: WorkspaceSeed = {}): Promise<WorkspaceScene> {
  const scene = seed.scene ?? (await templateScene(store, seed));
  const { organization, owner, template } = scene;
  const workspace = await workspaces.workspace(store, {
    organizationId: organization.id,
    ownerId: owner.id,
    templateId: template.id,
    ...seed.workspace,
  });
  return { ...scene, workspace, ...(await addBuild(store, { ...seed, scene, workspace })) };
}

/** One more build of a workspace; say its `buildNumber`. */
export async function addBuild(
  store: Store,
  seed: Omit<WorkspaceSeed, "workspace"> & {
    readonly scene: Scene;
    readonly workspace: Pick<m.Workspace, "id">;
  },
): Promise<Pick<WorkspaceScene, "build" | "job" | "resource" | "agent">> {
  const { organization, owner, version } = seed.scene;
  const now = realClock.now();
  const job = await dbgen.provisionerJob(store, {
    organizationId: organization.id,
    initiatorId: owner.id,
    workspaceId: seed.workspace.id,
    startedAt: now,
    completedAt: now,
    ...seed.job,
  });
  const build = await workspaces.workspaceBuild(store, {
    initiatorId: owner.id,
    ...seed.build,
    workspaceId: seed.workspace.id,
    templateVersionId: version.id,
    jobId: job.id,
  });
  const resource = await workspaces.workspaceResource(store, { jobId: job.id });
  const agent = await workspaces.workspaceAgent(store, { ...seed.agent, resourceId: resource.id });
  return { build, job, resource, agent };
}
