import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { discardLogger } from "#slog/slog.ts";
import { tempDir } from "#testutil/testutil.ts";
import { JobJournal } from "./journal.ts";

const job = "11111111-1111-4111-8111-111111111111";
const build = "22222222-2222-4222-8222-222222222222";

async function setup(t: TestContext) {
  const root = await tempDir(t);
  const [dir, workDir] = [join(root, "jobs"), join(root, "work")];
  const open = (owner = "me"): JobJournal =>
    new JobJournal({ dir, owner, workDirs: [workDir], log: discardLogger });
  const session = (state: string): string => {
    const folder = join(workDir, "Sessionx");
    mkdirSync(join(folder, "files"), { recursive: true });
    writeFileSync(join(folder, "build"), build);
    writeFileSync(join(folder, "files/terraform.tfstate"), state);
    return folder;
  };
  /** As if the process that wrote the entries had been killed. */
  const killed = (): void => {
    const file = join(dir, `${job}.json`);
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), started: "0" }));
  };
  return { dir, open, session, killed };
}

test("a killed process's job is left with the session's last state, and forgotten when it was told", async (t) => {
  const { dir, open, session, killed } = await setup(t);
  const folder = session('{"serial":3}');
  await open().begin(job, build);
  assert.deepEqual(await open().left(), [], "its process lives");
  killed();
  assert.deepEqual(await open("another").left(), [], "another daemon's job");
  const [left] = await open().left();
  assert.equal(left?.jobId, job);
  assert.equal(left.state?.toString(), '{"serial":3}');
  await left.forget();
  assert.deepEqual(readdirSync(dir), []);
  assert.equal(existsSync(folder), false);
});

test("what was applied is kept after the session's folder is gone, and wins over what the folder has", async (t) => {
  const { open, session, killed } = await setup(t);
  await open().begin(job, build);
  await open().keepState(job, Buffer.from('{"serial":9}'));
  killed();
  assert.equal((await open().left())[0]?.state?.toString(), '{"serial":9}');
  session('{"serial":8}');
  assert.equal((await open().left())[0]?.state?.toString(), '{"serial":9}');
});

test("a state that was cut off while it was written is none; a broken entry harms no other", async (t) => {
  const { dir, open, session, killed } = await setup(t);
  session('{"serial":');
  await open().begin(job, build);
  killed();
  writeFileSync(join(dir, "33333333-3333-4333-8333-333333333333.json"), "{");
  writeFileSync(join(dir, "notes.txt"), "x");
  const left = await open().left();
  assert.deepEqual(
    left.map(({ jobId, state }) => [jobId, state]),
    [[job, undefined]],
  );
});

test("a job that was reported leaves nothing", async (t) => {
  const { dir, open } = await setup(t);
  await open().begin(job, "");
  await open().keepState(job, Buffer.from("{}"));
  await open().end(job);
  assert.deepEqual(readdirSync(dir), []);
});
