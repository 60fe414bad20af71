import assert from "node:assert/strict";
import { basename } from "node:path";
import { describe, it } from "node:test";
import { loadMigrations } from "../src/coderd/database/migrate.ts";
import { tempDir } from "../src/testutil/testutil.ts";
import { createFixture } from "./create-fixture.ts";
import { createMigration } from "./create-migration.ts";

describe("createMigration, createFixture", () => {
  it("number the files one after another", async (t) => {
    const dir = await tempDir(t);
    const names = [];
    for (const name of ["first_thing", "second_thing"]) names.push(...(await createMigration(name, { dir })));
    assert.deepEqual(
      names.map((path) => basename(path)),
      [
        "000001_first_thing.up.sql",
        "000001_first_thing.down.sql",
        "000002_second_thing.up.sql",
        "000002_second_thing.down.sql",
      ],
    );
    assert.equal((await loadMigrations(dir)).length, 2);
    assert.equal(basename(await createFixture(undefined, { dir })), "000002_second_thing.up.sql");
    assert.equal(basename(await createFixture(1, { dir })), "000001_first_thing.up.sql");
    await assert.rejects(createFixture(1, { dir }), /exists/);
    await assert.rejects(createFixture(7, { dir }), /no migration 7/);
    await assert.rejects(createMigration("Bad Name", { dir }), /received Bad Name/);
  });
});
