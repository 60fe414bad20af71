import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { packTar, type TarEntry } from "modern-tar";
import { realClock } from "#quartz/clock.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { discardLogger } from "#slog/slog.ts";
import { eventually, tempDir } from "#testutil/testutil.ts";
import { drpcClient } from "#rpc/drpc/client.ts";
import { memoryStreams } from "#rpc/drpc/memory.ts";
import { LogLevel, Provisioner } from "#rpc/gen/provisionersdk_pb.js";
import { SessionClient } from "./client.ts";
import type { Engine } from "./engine.ts";
import { provisionerRouter } from "./session.ts";

const quiet: Engine = {
  init: async () => ({}),
  parse: async () => ({}),
  plan: async () => ({}),
  apply: async () => ({}),
  graph: async () => ({}),
};

interface Setup {
  readonly session: SessionClient;
  readonly workDir: string;
  readonly logs: string[];
}

async function start(t: TestContext, engine: Partial<Engine>, level = ""): Promise<Setup> {
  const workDir = await tempDir(t);
  const router = provisionerRouter({
    engine: { ...quiet, ...engine },
    workDir,
    clock: realClock,
    rand: cryptoRand,
    log: discardLogger,
  });
  const logs: string[] = [];
  const session = await SessionClient.start(drpcClient(Provisioner, memoryStreams(router)), {
    config: { provisionerLogLevel: level },
    onLog: (line) => logs.push(line.output),
  });
  t.after(() => session[Symbol.asyncDispose]());
  return { session, workDir, logs };
}

function tar(files: Record<string, string | Uint8Array>, more: TarEntry[] = []): Promise<Uint8Array> {
  const entries = Object.entries(files).map(([name, body]) => ({
    header: { name, size: Buffer.from(body).length, mode: 0, type: "file" as const },
    body: Buffer.from(body),
  }));
  return packTar([...entries, ...more]);
}

test("a build's requests reach the engine in order, with the files unpacked", async (t) => {
  const seen: string[] = [];
  const { session, workDir } = await start(t, {
    init: async ({ files }) => {
      seen.push(`init ${await readFile(join(files, "sub/main.tf"), "utf8")}`);
      return { modules: [{ key: "m" }] };
    },
    plan: async (_session, request) => {
      seen.push(`plan ${Buffer.from(request.state).toString()}`);
      return { dailyCost: 3 };
    },
    apply: async () => (seen.push("apply"), { state: Buffer.from("new") }),
  });
  const init = await session.init({ templateSourceArchive: await tar({ "sub/main.tf": "x" }) });
  assert.equal(init.modules[0]?.key, "m");
  assert.equal((await session.plan({ state: Buffer.from("old") })).dailyCost, 3);
  assert.equal(Buffer.from((await session.apply({})).state).toString(), "new");
  await session.graph({});
  assert.deepEqual(seen, ["init x", "plan old", "apply"]);
  assert.equal((await readdir(workDir)).length, 1);
});

test("a session that ends cancels what runs, and its folder goes away", async (t) => {
  const started = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const { session, workDir } = await start(t, {
    plan: ({ canceled }) => {
      started.resolve();
      return new Promise((resolve) => {
        canceled.addEventListener("abort", () => {
          gone.resolve();
          resolve({ error: "stopped" });
        });
      });
    },
  });
  await session.init({ templateSourceArchive: await tar({}) });
  session.plan({}).catch(() => {});
  await started.promise;
  await session[Symbol.asyncDispose]();
  await gone.promise;
  await eventually("the folder is removed", async () => (await readdir(workDir)).length === 0);
});

test("parse brings the readme along", async (t) => {
  const { session } = await start(t, {});
  await session.init({ templateSourceArchive: await tar({ "README.md": "# hello" }) });
  assert.equal(Buffer.from((await session.parse()).readme).toString(), "# hello");
});

test("requests out of order end the session with the reason", async (t) => {
  await assert.rejects((await start(t, {})).session.parse(), /cannot parse before successful init/);
  await assert.rejects((await start(t, {})).session.plan({}), /cannot plan before successful init/);
  const failed = (await start(t, { init: async () => ({ error: "bad template" }) })).session;
  assert.equal((await failed.init({})).error, "bad template");
  await assert.rejects(failed.plan({}), /cannot plan before successful init/);
  const unplanned = (await start(t, { plan: async () => ({ error: "no" }) })).session;
  await unplanned.init({});
  await unplanned.plan({});
  await assert.rejects(unplanned.apply({}), /cannot apply before successful plan/);
  const twice = (await start(t, {})).session;
  await twice.init({});
  await assert.rejects(twice.init({}), /cannot init more than once/);
});

test("an exception of the engine becomes the answer's error", async (t) => {
  const { session } = await start(t, { init: async () => Promise.reject(new Error("boom")) });
  assert.equal((await session.init({})).error, "boom");
});

test("cancel reaches the engine and its answer still comes", async (t) => {
  const { session } = await start(t, {
    plan: (view) =>
      new Promise((resolve) => view.canceled.addEventListener("abort", () => resolve({ error: "canceled" }))),
  });
  await session.init({});
  const plan = session.plan({});
  await session.cancel();
  assert.equal((await plan).error, "canceled");
});

test("a cancel between two requests is there when the next one comes", async (t) => {
  const { session } = await start(t, {
    plan: async ({ canceled }) => ({ error: canceled.aborted ? "canceled" : "went on" }),
  });
  await session.init({});
  await session.cancel();
  assert.equal((await session.plan({})).error, "canceled");
});

test("logs below the wanted level are left out", async (t) => {
  const { session, logs } = await start(
    t,
    {
      init: async (view) => {
        view.emit(LogLevel.DEBUG, "debug");
        view.emit(LogLevel.WARN, "warn");
        return {};
      },
    },
    "INFO",
  );
  await session.init({});
  assert.deepEqual(logs, ["warn"]);
});

test("module files larger than a message arrive in pieces, in both directions", async (t) => {
  const big = randomBytes(5_000_000);
  const { session } = await start(t, {
    init: async ({ files }) => {
      assert.ok(existsSync(join(files, ".terraform/modules/a/main.tf")));
      return { moduleFiles: big };
    },
  });
  const modules = await tar({ ".terraform/modules/a/main.tf": randomBytes(5_000_000) });
  const init = await session.init({}, modules);
  assert.ok(big.equals(init.moduleFiles));
});

test("hostile archives are refused and write nothing outside", async (t) => {
  for (const name of ["../evil", "/etc/evil", "a/../../evil"]) {
    const { session, workDir } = await start(t, {});
    assert.match(
      (await session.init({ templateSourceArchive: await tar({ [name]: "x" }) })).error,
      /non-local path/,
    );
    assert.equal(existsSync(join(workDir, "evil")), false);
  }
  const { session } = await start(t, {});
  const garbage = await session.init({
    templateSourceArchive: Buffer.from("this is no tar file".repeat(60)),
  });
  assert.match(garbage.error, /not a tar/);
});

test("links are left out, a file that is too big is an error", async (t) => {
  let names: string[] = [];
  const { session } = await start(t, { init: async ({ files }) => ((names = await readdir(files)), {}) });
  const link: TarEntry = { header: { name: "link", type: "symlink", linkname: "/etc/passwd", size: 0 } };
  await session.init({ templateSourceArchive: await tar({ a: "x" }, [link]) });
  assert.deepEqual(names, ["a"]);
  const { unpackArchive } = await import("./archive.ts");
  const archive = await tar({ big: Buffer.alloc(11) });
  await assert.rejects(unpackArchive(archive, await tempDir(t), { fileBytes: 10 }), /more than 10 bytes/);
});
