import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { packTar, unpackTar } from "modern-tar";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { newCtx, type Ctx } from "../ctx.ts";
import { authorize } from "../database/dbauthz/dbauthz.ts";
import { rules } from "../database/dbauthz/rules.ts";
import { subjectOf } from "../database/dbauthz/subjects.ts";
import { templateScene } from "../database/dbfake/dbfake.ts";
import * as dbgen from "../database/dbgen/dbgen.ts";
import { newDb } from "../database/dbtestutil/dbtestutil.ts";
import { NotFound } from "../errors.ts";
import { newRoleTable } from "../rbac/roletable.ts";
import type { Subject } from "../rbac/subject.ts";
import { tarToZip, zipToTar } from "./convert.ts";
import { storeFile } from "./routes.ts";
import { ArchiveTooLarge, BadArchive, readZip, writeZip } from "./zip.ts";

const limits = { bytes: 1000, entries: 10 };
const text = (value: string): Uint8Array => Buffer.from(value);
const one = (name: string, data = text("x"), mode = 0o644) => [{ name, mode, data }];

describe("zip", () => {
  it("reads back what it wrote: names, modes, folders, empty files", async () => {
    const entries = [
      { name: "modules/", mode: 0o755, data: new Uint8Array() },
      { name: "modules/größe.tf", mode: 0o644, data: text("resource\n".repeat(20)) },
      { name: "run.sh", mode: 0o755, data: new Uint8Array() },
    ];
    const read = await readZip(await writeZip(entries), limits);
    assert.deepEqual(
      read.map(({ name, mode, data }) => ({ name, mode, data: Buffer.from(data).toString() })),
      entries.map(({ name, mode, data }) => ({ name, mode, data: Buffer.from(data).toString() })),
    );
  });

  it("refuses a bomb by what it unpacks to, also when its header lies", async () => {
    const bomb = Buffer.from(await writeZip(one("a", new Uint8Array(5000))));
    await assert.rejects(readZip(bomb, limits), ArchiveTooLarge);
    const central = bomb.indexOf("PK\x01\x02", 0, "latin1");
    bomb.writeUInt32LE(10, central + 24);
    await assert.rejects(readZip(bomb, limits), ArchiveTooLarge);
    await assert.rejects(
      readZip(await writeZip(["a", "b"].flatMap((n) => one(n, new Uint8Array(600)))), limits),
      ArchiveTooLarge,
    );
  });

  it("refuses names that leave the archive, links, and more entries than allowed", async () => {
    for (const name of ["../a", "a/../../b", "/etc/passwd", "a\\b", "C:x", "a\0b", ""]) {
      await assert.rejects(readZip(await writeZip(one(name)), limits), BadArchive, JSON.stringify(name));
    }
    const link = Buffer.from(await writeZip(one("link", text("/etc/passwd"))));
    link.writeUInt32LE((0o120777 << 16) >>> 0, link.indexOf("PK\x01\x02", 0, "latin1") + 38);
    await assert.rejects(readZip(link, limits), /is a link/);
    const many = Array.from({ length: 11 }, (_, n) => one(`f${n}`)).flat();
    await assert.rejects(readZip(await writeZip(many), limits), /11 entries/);
  });

  it("refuses what is broken, wherever it is cut or changed, and never throws anything else", async () => {
    const good = Buffer.from(await writeZip([...one("a", text("hello hello hello")), ...one("b/c")]));
    await assert.rejects(readZip(text("no zip"), limits), BadArchive);
    for (let at = 0; at < good.length; at++) {
      for (const broken of [good.subarray(0, at), Buffer.from(good)]) {
        if (broken.length === good.length) broken[at] = (broken[at] ?? 0) ^ 0xff;
        await readZip(broken, limits).catch((error: unknown) => {
          assert.ok(
            error instanceof BadArchive || error instanceof ArchiveTooLarge,
            `byte ${at}: ${String(error)}`,
          );
        });
      }
    }
  });

  it("becomes a tar and back", async () => {
    const tar = await zipToTar(await writeZip([...one("main.tf"), ...one("run.sh", text("y"), 0o755)]));
    const inside = await unpackTar(tar);
    assert.deepEqual(
      inside.map(({ header, data }) => [header.name, header.mode, Buffer.from(data ?? []).toString()]),
      [
        ["main.tf", 0o644, "x"],
        ["run.sh", 0o755, "y"],
      ],
    );
    const back = await readZip(await tarToZip(tar), limits);
    assert.deepEqual(
      back.map(({ name, mode }) => [name, mode]),
      [
        ["main.tf", 0o644],
        ["run.sh", 0o755],
      ],
    );
    await assert.rejects(tarToZip(text("x".repeat(600))), BadArchive);
  });
});

describe("storeFile", () => {
  const table = newRoleTable();
  const ctxOf = (actor: Subject): Ctx =>
    newCtx({
      actor,
      signal: new AbortController().signal,
      log: discardLogger,
      requestId: cryptoRand.uuid(),
      clock: realClock,
    });

  it("keeps one row for each content and creator, also of uploads at once", async (t) => {
    const { store: raw } = await newDb(t);
    const store = authorize(raw, rules);
    const user = await dbgen.user(raw);
    const ctx = ctxOf(subjectOf(table, { user, memberships: [], groups: [], customRoles: [] }));
    const data = await packTar([{ header: { name: "main.tf", size: 1 }, body: "x" }]);
    const made = await Promise.all([1, 2, 3].map(() => storeFile(ctx, store, { data, createdBy: user.id })));
    assert.equal(new Set(made.map(({ id }) => id)).size, 1);
    assert.equal(made.filter(({ isNew }) => isNew).length, 1);
    const again = await storeFile(ctx, store, { data, createdBy: user.id });
    assert.deepEqual(again, { id: made[0]?.id, isNew: false });
    const other = await dbgen.user(raw);
    const ctxOther = ctxOf(subjectOf(table, { user: other, memberships: [], groups: [], customRoles: [] }));
    const theirs = await storeFile(ctxOther, store, { data, createdBy: other.id });
    assert.ok(theirs.isNew && theirs.id !== again.id);
    await assert.rejects(store.getFileById(ctxOther, { id: again.id }), NotFound);
    await assert.rejects(storeFile(ctxOther, store, { data, createdBy: user.id }), NotFound);
    assert.deepEqual([...(await store.getFileById(ctx, { id: again.id })).data], [...data]);
  });

  it("may be read by who may change a template that was made of it", async (t) => {
    const { store: raw } = await newDb(t);
    const store = authorize(raw, rules);
    const { organization, template } = await templateScene(raw);
    const file = await dbgen.file(raw);
    const job = await dbgen.provisionerJob(raw, { fileId: file.id, organizationId: organization.id });
    await dbgen.templateVersion(raw, {
      templateId: template.id,
      organizationId: organization.id,
      jobId: job.id,
    });
    const admin = (roles: string[]) => {
      const user = { id: cryptoRand.uuid(), username: "x", rbacRoles: [], isServiceAccount: false };
      const memberships = [{ organization_id: organization.id, roles, sharing: "everyone" as const }];
      return ctxOf(subjectOf(table, { user, memberships, groups: [], customRoles: [] }));
    };
    await assert.rejects(store.getFileById(admin([]), { id: file.id }), NotFound);
    const templateAdmin = admin(["organization-template-admin"]);
    assert.equal((await store.getFileById(templateAdmin, { id: file.id })).id, file.id);
    await assert.rejects(store.getFileById(templateAdmin, { id: cryptoRand.uuid() }), NotFound);
  });
});
