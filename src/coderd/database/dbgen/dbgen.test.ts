import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { addBuild, templateScene, workspaceScene } from "../dbfake/dbfake.ts";
import { newDb } from "../dbtestutil/dbtestutil.ts";
import { isCheckViolation, isForeignKeyViolation, isUniqueViolation } from "../errors.ts";
import * as dbgen from "./dbgen.ts";
import * as workspaces from "./workspaces.ts";

describe("dbgen", () => {
  it("makes a row of every kind", async (t) => {
    const { store } = await newDb(t);
    const role = await dbgen.customRole(store, {
      orgPermissions: [{ negate: false, resource_type: "workspace", action: "read" }],
    });
    assert.deepEqual(role.orgPermissions, [{ negate: false, resource_type: "workspace", action: "read" }]);
    await dbgen.groupMember(store);
    await dbgen.gitSshKey(store);
    await dbgen.auditLog(store);
    const file = await dbgen.file(store, { data: Buffer.from("tar") });
    assert.equal(file.data.toString(), "tar");
    await dbgen.provisionerDaemon(store, { keyId: (await dbgen.provisionerKey(store)).id });
    await dbgen.provisionerJobLog(store);
    await dbgen.apiKey(store, { loginType: "token" });
    await dbgen.user(store, { isServiceAccount: true });
    const { version, build, resource, agent } = await workspaceScene(store);
    await dbgen.templateVersionParameter(store, { templateVersionId: version.id });
    await dbgen.templateVersionVariable(store, { templateVersionId: version.id });
    await dbgen.preset(store, { templateVersionId: version.id });
    await workspaces.workspaceBuildParameter(store, { workspaceBuildId: build.id });
    await workspaces.workspaceResourceMetadata(store, { workspaceResourceId: resource.id });
    await workspaces.workspaceAgentScript(store, { workspaceAgentId: agent.id });
    await workspaces.workspaceAgentLog(store, { agentId: agent.id });
    await workspaces.workspaceAgentMetadata(store, { workspaceAgentId: agent.id });
    await workspaces.workspaceAgentStat(store, { connectionsByProto: { ssh: 1 } });
    await workspaces.workspaceApp(store, { agentId: agent.id });
  });
});

describe("schema", () => {
  it("keeps at most one active build per workspace", async (t) => {
    const { store } = await newDb(t);
    const scene = await workspaceScene(store, { job: { completedAt: null } });
    const again = { scene, workspace: scene.workspace, build: { buildNumber: 2 } };
    await assert.rejects(addBuild(store, { ...again, job: { completedAt: null } }), (error) =>
      isUniqueViolation(error, "provisioner_jobs_one_active_build_idx"),
    );
    const { job } = await addBuild(store, again);
    assert.equal(job.jobStatus, "succeeded");
    assert.equal(scene.job.jobStatus, "running");
  });

  it("derives the job's status", async (t) => {
    const { store } = await newDb(t);
    const at = new Date("2026-01-02T00:00:00Z");
    const cases = [
      [{}, "pending"],
      [{ startedAt: at }, "running"],
      [{ startedAt: at, canceledAt: at }, "canceling"],
      [{ startedAt: at, canceledAt: at, completedAt: at }, "canceled"],
      [{ startedAt: at, completedAt: at }, "succeeded"],
      [{ startedAt: at, completedAt: at, error: "" }, "succeeded"],
      [{ startedAt: at, canceledAt: at, completedAt: at, error: "x" }, "failed"],
      [{ error: "x" }, "failed"],
    ] as const;
    for (const [over, status] of cases) {
      assert.equal((await dbgen.provisionerJob(store, over)).jobStatus, status, JSON.stringify(over));
    }
  });

  it("frees the names of deleted users, ends their keys, and gives them no new ones", async (t) => {
    const { store } = await newDb(t);
    const { owner } = await templateScene(store);
    const key = await dbgen.apiKey(store, { userId: owner.id });
    await store.updateUserDeletedById({ id: owner.id, updatedAt: owner.updatedAt });
    assert.equal(await store.getAuthentication({ id: key.id }), undefined);
    assert.deepEqual((await store.getUserAuthorization({ id: owner.id }))?.memberships, []);
    await assert.rejects(dbgen.apiKey(store, { userId: owner.id }), (error) =>
      isCheckViolation(error, "credentials_need_living_user"),
    );
    await dbgen.user(store, { username: owner.username });
  });

  it("authenticates with one statement: key, user, memberships, groups, custom roles", async (t) => {
    const { store } = await newDb(t);
    const organization = await store.getDefaultOrganization({});
    const role = await dbgen.customRole(store, { organizationId: organization.id, name: "auditor-lite" });
    await dbgen.customRole(store, { organizationId: organization.id, name: "not-held" });
    const user = await dbgen.user(store, { rbacRoles: ["owner"] });
    const membership = { userId: user.id, organizationId: organization.id, roles: ["auditor-lite"] };
    await dbgen.organizationMember(store, membership);
    const group = await dbgen.group(store);
    await dbgen.groupMember(store, { userId: user.id, groupId: group.id });
    const key = await dbgen.apiKey(store, { userId: user.id });
    const found = await store.getAuthentication({ id: key.id });
    assert.ok(found);
    assert.deepEqual(found.k, key);
    assert.deepEqual(found.u, user);
    assert.deepEqual(found.memberships, [
      { organization_id: organization.id, roles: ["auditor-lite"], sharing: "everyone" },
    ]);
    assert.deepEqual(found.groups, [group.id]);
    assert.deepEqual(
      found.customRoles.map((item) => [item.name, item.organization_id]),
      [[role.name, organization.id]],
    );
    assert.equal(await store.getAuthentication({ id: "none" }), undefined);
  });

  it("next_start_at is gone without a schedule and while dormant", async (t) => {
    const { store } = await newDb(t);
    const nextStartAt = new Date("2026-01-02T00:00:00Z");
    const without = await workspaces.workspace(store, { nextStartAt });
    assert.equal(without.nextStartAt, null);
    const autostartSchedule = "CRON_TZ=UTC 0 9 * * *";
    const scheduled = await workspaces.workspace(store, { nextStartAt, autostartSchedule });
    assert.deepEqual(scheduled.nextStartAt, nextStartAt);
    const dormant = await workspaces.workspace(store, {
      nextStartAt,
      autostartSchedule,
      dormantAt: nextStartAt,
    });
    assert.equal(dormant.nextStartAt, null);
  });

  it("refuses what must not be", async (t) => {
    const { store } = await newDb(t);
    await assert.rejects(dbgen.user(store, { username: "" }), (error) => isCheckViolation(error));
    await assert.rejects(dbgen.user(store, { email: "" }), (error) =>
      isCheckViolation(error, "users_email_unless_service_account"),
    );
    await assert.rejects(dbgen.organization(store, { isDefault: true }), (error) => isUniqueViolation(error));
    await assert.rejects(dbgen.provisionerJob(store, { type: "workspace_build" }), (error) =>
      isCheckViolation(error, "provisioner_jobs_workspace_of_builds"),
    );
    await assert.rejects(dbgen.apiKey(store, { allowList: [] }), (error) => isCheckViolation(error));
    await assert.rejects(workspaces.workspace(store, { templateId: cryptoRand.uuid() }), (error) =>
      isForeignKeyViolation(error),
    );
    const { workspace } = await workspaceScene(store, { workspace: { name: "Dev" } });
    await assert.rejects(workspaces.workspace(store, { ownerId: workspace.ownerId, name: "dEV" }), (error) =>
      isUniqueViolation(error, "workspaces_owner_name_idx"),
    );
  });
});
