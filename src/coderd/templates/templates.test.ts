import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { packTar } from "modern-tar";
import { ClientError } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import { realClock } from "#quartz/clock.ts";
import { newServer, type Person, type TestServer } from "../coderdtest/coderdtest.ts";
import * as workspaces from "../database/dbgen/workspaces.ts";

const { files, templates, templateversions } = contract;

const defaults = {
  allow_user_cancel_workspace_jobs: null,
  disable_everyone_group_access: false,
  require_active_version: false,
  max_port_share_level: null,
  cors_behavior: null,
} as const;
const nil = "00000000-0000-0000-0000-000000000000";

interface Scene {
  readonly server: TestServer;
  readonly owner: Person;
  readonly fileId: string;
}

async function scene(t: TestContext): Promise<Scene> {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  return { server, owner, fileId: await upload(owner, "main.tf") };
}

async function upload(person: Person, name: string): Promise<string> {
  const body = await packTar([{ header: { name, size: 1 }, body: "x" }]);
  const { hash } = await person.client.call(files.upload, {
    body,
    headers: { "content-type": "application/x-tar" },
  });
  return hash;
}

async function version({ owner, fileId }: Scene, wanted: { name?: string; template_id?: string } = {}) {
  return owner.client.call(templateversions.create, {
    params: { organization: owner.organizationId },
    body: {
      storage_method: "file",
      provisioner: "echo",
      file_id: fileId,
      template_id: nil,
      tags: {},
      ...wanted,
    },
  });
}

/** Ends the import as a daemon would. */
async function imported({ server }: Scene, jobId: string, error: string | null = null): Promise<void> {
  const now = realClock.now();
  await server.db.store.completeProvisionerJob({ id: jobId, now, startedAt: now, error, errorCode: null });
}

async function template(s: Scene, name: string, wanted: Record<string, unknown> = {}) {
  const made = await version(s, { name: "v1" });
  await imported(s, made.job.id);
  return s.owner.client.call(templates.create, {
    params: { organization: "default" },
    body: { ...defaults, name, template_version_id: made.id, ...wanted },
  });
}

const status = (expected: number, field?: string) => (error: unknown) => {
  assert.ok(error instanceof ClientError, String(error));
  assert.equal(
    error.status,
    expected,
    `${error.message} ${error.detail ?? ""} ${JSON.stringify(error.validations)}`,
  );
  if (field !== undefined) {
    assert.ok(
      error.validations.some((one) => one.field === field),
      field,
    );
  }
  return true;
};

describe("templates", () => {
  it("is made from a version, seen by members through Everyone, found by id and name", async (t) => {
    const s = await scene(t);
    const made = await template(s, "docker", { display_name: "Docker", default_ttl_ms: 3_600_000 });
    assert.equal(made.organization_name, "coder");
    assert.equal(made.created_by_name, s.owner.username);
    assert.deepEqual(made.autostop_requirement, { days_of_week: [], weeks: 1 });
    assert.equal(made.autostart_requirement.days_of_week.length, 7);
    assert.deepEqual(made.build_time_stats["start"], { P50: null, P95: null });
    const member = await s.server.createAnotherUser();
    const [listed] = await member.client.call(templates.list, {});
    assert.deepEqual(listed, made);
    const byName = { organization: "coder", templatename: "DOCKER" };
    assert.deepEqual(await member.client.call(templates.getByName, { params: byName }), made);
    assert.deepEqual(await member.client.call(templates.get, { params: { template: made.id } }), made);
  });

  it("without Everyone's entry members do not find it, nor its versions", async (t) => {
    const s = await scene(t);
    const made = await template(s, "secret", { disable_everyone_group_access: true });
    const member = await s.server.createAnotherUser();
    assert.deepEqual(await member.client.call(templates.list, {}), []);
    const params = { template: made.id };
    await assert.rejects(member.client.call(templates.get, { params }), status(404));
    await assert.rejects(member.client.call(templates.versions, { params }), status(404));
    const versionId = { templateversion: made.active_version_id };
    await assert.rejects(member.client.call(templateversions.get, { params: versionId }), status(404));
    await assert.rejects(
      member.client.call(templateversions.richParameters, { params: versionId }),
      status(404),
    );
  });

  it("members can neither create, change, promote nor delete", async (t) => {
    const s = await scene(t);
    const made = await template(s, "docker");
    const member = await s.server.createAnotherUser();
    const params = { template: made.id };
    await assert.rejects(
      member.client.call(templates.update, { params, body: { description: "x" } }),
      status(404),
    );
    await assert.rejects(member.client.call(templates.remove, { params }), status(404));
    const promotion = { params, body: { id: made.active_version_id } };
    await assert.rejects(member.client.call(templates.promote, promotion), status(404));
    const free = await version(s);
    const creation = {
      params: { organization: "default" },
      body: { ...defaults, name: "x", template_version_id: free.id },
    };
    await assert.rejects(member.client.call(templates.create, creation), status(404));
    const unchanged = await s.owner.client.call(templates.get, { params });
    assert.deepEqual(unchanged, made);
  });

  it("a patch changes what it names, keeps the rest, and is audited", async (t) => {
    const s = await scene(t);
    const made = await template(s, "docker", { description: "one", default_ttl_ms: 60_000 });
    const params = { template: made.id };
    const changed = await s.owner.client.call(templates.update, {
      params,
      body: {
        description: "",
        name: "podman",
        autostop_requirement: { days_of_week: ["Saturday"], weeks: 2 },
      },
    });
    assert.equal(changed.description, "");
    assert.equal(changed.name, "podman");
    assert.equal(changed.default_ttl_ms, 60_000);
    assert.deepEqual(changed.autostop_requirement, { days_of_week: ["saturday"], weeks: 2 });
    const log = await s.server.db.store.getAuditLogsOfResource({ resourceId: made.id });
    assert.deepEqual(log.map(({ l }) => l.action).toSorted(), ["create", "write"]);
    const write = log.find(({ l }) => l.action === "write");
    assert.deepEqual(Object.keys(Object(write?.l.diff)).toSorted(), [
      "autostop_requirement_days_of_week",
      "autostop_requirement_weeks",
      "description",
      "name",
    ]);
  });

  it("refuses bad settings with the field, on create and on update", async (t) => {
    const s = await scene(t);
    const free = await version(s);
    const create = (wanted: Record<string, unknown>) =>
      s.owner.client.call(templates.create, {
        params: { organization: "default" },
        body: { ...defaults, name: "x", template_version_id: free.id, ...wanted },
      });
    await assert.rejects(create({ default_ttl_ms: -1 }), status(400, "default_ttl_ms"));
    await assert.rejects(create({ name: "Bad Name" }), status(400, "name"));
    await assert.rejects(create({ description: "x".repeat(129) }), status(400, "description"));
    const weekday = { autostart_requirement: { days_of_week: ["someday"] } };
    await assert.rejects(create(weekday), status(400, "autostart_requirement.days_of_week"));
    const made = await create({});
    const patch = (body: Record<string, unknown>) =>
      s.owner.client.call(templates.update, { params: { template: made.id }, body });
    await assert.rejects(patch({ failure_ttl_ms: 59_999 }), status(400, "failure_ttl_ms"));
    await assert.rejects(
      patch({ autostop_requirement: { days_of_week: [], weeks: 17 } }),
      status(400, "autostop_requirement.weeks"),
    );
    await assert.rejects(patch({ description: "x".repeat(129) }), status(400, "description"));
  });

  it("a name is taken once, also by two at the same time, and free again after the delete", async (t) => {
    const s = await scene(t);
    const results = await Promise.allSettled([template(s, "docker"), template(s, "Docker".toLowerCase())]);
    const [lost] = results.filter(({ status: state }) => state === "rejected");
    assert.ok(lost?.status === "rejected");
    status(409, "name")(lost.reason);
    const [won] = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    assert.ok(won);
    await s.owner.client.call(templates.remove, { params: { template: won.id } });
    assert.deepEqual(await s.owner.client.call(templates.list, {}), []);
    const deleted = await s.owner.client.call(templates.get, { params: { template: won.id } });
    assert.equal(deleted.deleted, true);
    await template(s, "docker");
  });

  it("is not deleted while a workspace is made of it, whoever owns that", async (t) => {
    const s = await scene(t);
    const made = await template(s, "docker");
    const member = await s.server.createAnotherUser();
    await workspaces.workspace(s.server.db.store, {
      organizationId: made.organization_id,
      ownerId: member.id,
      templateId: made.id,
    });
    await assert.rejects(
      s.owner.client.call(templates.remove, { params: { template: made.id } }),
      status(400),
    );
    const [listed] = await s.owner.client.call(templates.list, {});
    assert.equal(listed?.active_user_count, 1);
  });

  it("a version becomes part of one template only", async (t) => {
    const s = await scene(t);
    const free = await version(s);
    const create = (name: string) =>
      s.owner.client.call(templates.create, {
        params: { organization: "default" },
        body: { ...defaults, name, template_version_id: free.id },
      });
    const results = await Promise.allSettled([create("a"), create("b")]);
    assert.equal(results.filter(({ status: state }) => state === "fulfilled").length, 1);
    await assert.rejects(create("c"), status(400, "template_version_id"));
    const unknown = { ...defaults, name: "d", template_version_id: "00000000-0000-4000-8000-00000000dead" };
    await assert.rejects(
      s.owner.client.call(templates.create, { params: { organization: "default" }, body: unknown }),
      status(404, "template_version_id"),
    );
  });

  it("is searched by name, display name, author, organization and deprecation", async (t) => {
    const s = await scene(t);
    const docker = await template(s, "docker", { display_name: "Containers" });
    await template(s, "kubernetes");
    const names = async (q: string) =>
      (await s.owner.client.call(templates.list, { query: { q } })).map(({ name }) => name).toSorted();
    assert.deepEqual(await names(""), ["docker", "kubernetes"]);
    assert.deepEqual(await names("name:ock"), ["docker"]);
    assert.deepEqual(await names("contain"), ["docker"]);
    assert.deepEqual(await names("exact_name:dock"), []);
    assert.deepEqual(await names("author:me organization:coder"), ["docker", "kubernetes"]);
    assert.deepEqual(await names(`author:${s.owner.username}`), ["docker", "kubernetes"]);
    assert.deepEqual(await names("author:nobody"), []);
    const body = { deprecation_message: "use the other" };
    await s.owner.client.call(templates.update, { params: { template: docker.id }, body });
    assert.deepEqual(await names(""), ["kubernetes"]);
    assert.deepEqual(await names("deprecated:true"), ["docker"]);
    await assert.rejects(names("organization:zz"), status(400, "organization"));
    await assert.rejects(names("bad:1"), status(400, "bad"));
  });
});

describe("template versions", () => {
  it("stands at once with its job, and tells what the import found only when it is done", async (t) => {
    const s = await scene(t);
    const made = await version(s, { name: "v1" });
    assert.equal(made.job.status, "pending");
    assert.equal(made.template_id, "00000000-0000-0000-0000-000000000000");
    assert.deepEqual({ ...made.job.tags }, { owner: "", scope: "organization" });
    assert.deepEqual(made.matched_provisioners, { count: 0, available: 0, most_recently_seen: null });
    const params = { templateversion: made.id };
    await assert.rejects(s.owner.client.call(templateversions.richParameters, { params }), status(425));
    await assert.rejects(s.owner.client.call(templateversions.variables, { params }), status(403));
    await imported(s, made.job.id);
    assert.deepEqual(await s.owner.client.call(templateversions.richParameters, { params }), []);
    assert.deepEqual(await s.owner.client.call(templateversions.presets, { params }), []);
    assert.deepEqual(await s.owner.client.call(templateversions.externalAuth, { params }), []);
    const done = await s.owner.client.call(templateversions.get, { params });
    assert.equal(done.job.status, "succeeded");
  });

  it("refuses unknown files and templates, foreign files, and a name that is there", async (t) => {
    const s = await scene(t);
    const dead = "00000000-0000-4000-8000-00000000dead";
    await assert.rejects(version({ ...s, fileId: dead }), status(404));
    await assert.rejects(version(s, { template_id: dead }), status(404));
    const member = await s.server.createAnotherUser();
    await assert.rejects(version({ ...s, owner: member }), status(404));
    const theirs = await upload(member, "other.tf");
    await assert.rejects(version({ ...s, owner: member, fileId: theirs }), status(404));
    const made = await template(s, "docker");
    await assert.rejects(version(s, { template_id: made.id, name: "v1" }), status(409, "name"));
  });

  it("a pending import is canceled at once, and only once", async (t) => {
    const s = await scene(t);
    const made = await version(s);
    const params = { templateversion: made.id };
    await s.owner.client.call(templateversions.cancel, { params });
    const canceled = await s.owner.client.call(templateversions.get, { params });
    assert.equal(canceled.job.status, "canceled");
    await assert.rejects(s.owner.client.call(templateversions.cancel, { params }), status(400));
  });

  it("only a good, unarchived version of the template is promoted", async (t) => {
    const s = await scene(t);
    const made = await template(s, "docker");
    const second = await version(s, { template_id: made.id, name: "v2" });
    const promote = (id: string) =>
      s.owner.client.call(templates.promote, { params: { template: made.id }, body: { id } });
    await assert.rejects(promote(second.id), status(403));
    await imported(s, second.job.id);
    const params = { templateversion: second.id };
    await s.owner.client.call(templateversions.archive, { params });
    await assert.rejects(promote(second.id), status(400));
    await s.owner.client.call(templateversions.unarchive, { params });
    await promote(second.id);
    const now = await s.owner.client.call(templates.get, { params: { template: made.id } });
    assert.equal(now.active_version_id, second.id);
    await assert.rejects(s.owner.client.call(templateversions.archive, { params }), status(400));
    const free = await version(s);
    await assert.rejects(promote(free.id), status(400));
    await assert.rejects(promote("00000000-0000-4000-8000-00000000dead"), status(404));
  });

  it("are listed oldest first, in pages, with and without archived ones", async (t) => {
    const s = await scene(t);
    const made = await template(s, "docker");
    for (const name of ["v2", "v3"]) {
      const one = await version(s, { template_id: made.id, name });
      await imported(s, one.job.id, name === "v3" ? "broken" : null);
    }
    const params = { template: made.id };
    const list = (query: Record<string, unknown>) =>
      s.owner.client.call(templates.versions, { params, query });
    const names = (rows: readonly { readonly name: string }[]) => rows.map(({ name }) => name);
    const all = await list({});
    assert.deepEqual(names(all), ["v1", "v2", "v3"]);
    assert.deepEqual(names(await list({ after_id: all[0]?.id, limit: 1 })), ["v2"]);
    assert.deepEqual(names(await list({ offset: 2 })), ["v3"]);
    await assert.rejects(list({ after_id: "00000000-0000-4000-8000-00000000dead" }), status(400));
    const failed = await s.owner.client.call(templates.archiveVersions, { params, body: { all: false } });
    assert.deepEqual(failed.archived_ids, [all[2]?.id]);
    assert.deepEqual(names(await list({})), ["v1", "v2"]);
    assert.deepEqual(names(await list({ include_archived: true })), ["v1", "v2", "v3"]);
    const where = { organization: "default", templatename: "docker", templateversionname: "v2" };
    const previous = await s.owner.client.call(templateversions.previous, { params: where });
    assert.equal(previous?.name, "v1");
  });

  it("a dry run is asked for by who could create the workspace, and seen by its initiator", async (t) => {
    const s = await scene(t);
    const made = await template(s, "docker");
    const member = await s.server.createAnotherUser();
    const other = await s.server.createAnotherUser();
    const params = { templateversion: made.active_version_id };
    const body = { workspace_name: "x", rich_parameter_values: [] };
    const job = await member.client.call(templateversions.dryRun, { params, body });
    assert.equal(job.type, "template_version_dry_run");
    const ofJob = { ...params, jobID: job.id };
    assert.equal((await member.client.call(templateversions.dryRunJob, { params: ofJob })).id, job.id);
    await assert.rejects(other.client.call(templateversions.dryRunJob, { params: ofJob }), status(404));
    await assert.rejects(other.client.call(templateversions.dryRunCancel, { params: ofJob }), status(404));
    await member.client.call(templateversions.dryRunCancel, { params: ofJob });
    const imports = { ...params, jobID: (await version(s)).job.id };
    await assert.rejects(s.owner.client.call(templateversions.dryRunJob, { params: imports }), status(404));
  });
});
