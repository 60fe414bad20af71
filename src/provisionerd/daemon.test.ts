import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { realClock, type Clock } from "#quartz/clock.ts";
import { MockClock } from "#quartz/mock.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { discardLogger } from "#slog/slog.ts";
import { eventually, tempDir } from "#testutil/testutil.ts";
import { DrpcError } from "#rpc/drpc/call.ts";
import { drpcClient } from "#rpc/drpc/client.ts";
import { memoryStreams } from "#rpc/drpc/memory.ts";
import { drpcRouter, type Handlers } from "#rpc/drpc/server.ts";
import {
  type AcquiredJobSchema,
  type CompletedJob,
  type FailedJob,
  ProvisionerDaemon as Service,
  UpdateJobRequestSchema,
  type UpdateJobRequest,
} from "#rpc/gen/provisionerd_pb.js";
import { LogLevel, Provisioner, WorkspaceTransition } from "#rpc/gen/provisionersdk_pb.js";
import { provisionerRouter } from "#provisionersdk/session.ts";
import { receiveFile } from "#provisionersdk/upload.ts";
import { echoArchive, type EchoTemplate } from "#provisioner/echo/archive.ts";
import type { Engine } from "#provisionersdk/engine.ts";
import { echoEngine } from "#provisioner/echo/echo.ts";
import { ProvisionerDaemon } from "./daemon.ts";

type Job = MessageInitShape<typeof AcquiredJobSchema>;

/** A server with one job to give, which notes what it is told. */
class OneJobServer {
  readonly updates: UpdateJobRequest[] = [];
  readonly completed: CompletedJob[] = [];
  readonly failed: FailedJob[] = [];
  readonly uploads: Buffer[] = [];
  readonly handlers: Handlers<typeof Service>;
  canceled = false;
  #job: Job | undefined;

  constructor(job: Job, more: Handlers<typeof Service> = {}) {
    this.#job = job;
    this.handlers = {
      acquireJobWithCancel: async (stream) => {
        const given = this.#job;
        this.#job = undefined;
        if (!given) await stream.receive();
        await stream.send(given ?? {});
      },
      updateJob: (request) => {
        this.updates.push(request);
        return { canceled: this.canceled };
      },
      completeJob: (job) => (this.completed.push(job), {}),
      failJob: (job) => (this.failed.push(job), {}),
      commitQuota: () => ({ ok: true, budget: -1 }),
      uploadFile: async (stream) => (this.uploads.push(await receiveFile(stream)), {}),
      ...more,
    };
  }

  get logs(): string[] {
    return this.updates.flatMap(({ logs }) => logs.map((line) => `${line.stage}|${line.output}`));
  }

  get ended(): boolean {
    return this.completed.length + this.failed.length > 0;
  }
}

interface DaemonSettings {
  readonly clock?: Clock;
  readonly engine?: Engine;
  readonly forceCancelMs?: number;
}

async function startDaemon(
  t: TestContext,
  server: OneJobServer,
  { clock = realClock, engine = echoEngine, forceCancelMs }: DaemonSettings = {},
): Promise<ProvisionerDaemon> {
  const common = { clock, rand: cryptoRand, log: discardLogger };
  const router = provisionerRouter({ engine, workDir: await tempDir(t), ...common });
  const daemon = ProvisionerDaemon.start({
    connect: async () => ({
      client: drpcClient(Service, memoryStreams(drpcRouter(Service, server.handlers))),
      signal: new AbortController().signal,
      close: () => {},
    }),
    provisioners: { echo: drpcClient(Provisioner, memoryStreams(router)) },
    forceCancelMs,
    ...common,
  });
  t.after(() => daemon[Symbol.asyncDispose]());
  return daemon;
}

async function build(template: EchoTemplate, workspaceTransition = WorkspaceTransition.START): Promise<Job> {
  return {
    jobId: "job",
    provisioner: "echo",
    templateSourceArchive: await echoArchive(template),
    type: { case: "workspaceBuild", value: { state: Buffer.from("old"), metadata: { workspaceTransition } } },
  };
}

const ended = (server: OneJobServer) => eventually("the job ends", () => server.ended);

test("an import reports variables, readme and what both transitions would make", async (t) => {
  const server = new OneJobServer({
    jobId: "job",
    provisioner: "echo",
    templateSourceArchive: await echoArchive({
      parse: { templateVariables: [{ name: "v" }], workspaceTags: { a: '"b"' } },
      graph: { resources: [{ name: "r", type: "t" }], parameters: [{ name: "p" }] },
      stop: { graph: { resources: [] } },
      files: { "README.md": "# hi" },
    }),
    type: { case: "templateImport", value: { metadata: {} } },
  });
  await startDaemon(t, server);
  await ended(server);
  const told = server.updates.find(({ templateVariables }) => templateVariables.length > 0);
  assert.equal(Buffer.from(told?.readme ?? "").toString(), "# hi");
  assert.equal(told?.workspaceTags["a"], '"b"');
  const result = server.completed[0]?.type;
  assert.equal(result?.case, "templateImport");
  assert.deepEqual(
    result?.value?.startResources.map(({ name }) => name),
    ["r"],
  );
  assert.deepEqual(result?.value?.stopResources, []);
  assert.deepEqual(
    result?.value?.richParameters.map(({ name }) => name),
    ["p"],
  );
  assert.deepEqual(
    server.logs.map((line) => line.split("|")[0]),
    [
      "Setting up",
      "Parsing template parameters",
      "Detecting persistent resources",
      "Detecting ephemeral resources",
      "Cleaning Up",
    ],
  );
});

test("a build sends state, resources and its log, in order", async (t) => {
  const server = new OneJobServer(
    await build({
      plan: { logs: ["planning"], answer: { dailyCost: 2 } },
      apply: { logs: ["applying"], answer: { state: Buffer.from("new") } },
      graph: { resources: [{ name: "r", type: "t" }] },
    }),
  );
  await startDaemon(t, server);
  await ended(server);
  const result = server.completed[0]?.type;
  assert.equal(result?.case, "workspaceBuild");
  assert.equal(Buffer.from(result?.value?.state ?? "").toString(), "new");
  const lines = server.logs.filter((line) => !line.endsWith("|"));
  assert.deepEqual(lines, [
    "Planning Infrastructure|planning",
    "Commit quota|Build cost       —   2",
    "Commit quota|Budget           —   -1",
    "Commit quota|Credits consumed —   0",
    "Starting workspace|applying",
  ]);
});

test("a failed apply reports the state that it left, a failed plan none", async (t) => {
  const apply = new OneJobServer(await build({ apply: { error: "no disk", state: Buffer.from("half") } }));
  await startDaemon(t, apply);
  await ended(apply);
  assert.equal(apply.failed[0]?.error, "no disk");
  assert.equal(Buffer.from(stateOf(apply.failed[0])).toString(), "half");
  const plan = new OneJobServer(await build({ plan: { error: "missing parameter" } }));
  await startDaemon(t, plan);
  await ended(plan);
  assert.equal(plan.failed[0]?.errorCode, "MISSING_TEMPLATE_PARAMETER");
  assert.equal(stateOf(plan.failed[0]).length, 0);
});

function stateOf(failed: FailedJob | undefined): Uint8Array {
  return failed?.type.case === "workspaceBuild" ? failed.type.value.state : new Uint8Array();
}

test("a quota that is refused fails a start, and is not asked for a delete", async (t) => {
  const refuse: Handlers<typeof Service> = {
    commitQuota: () => ({ ok: false, budget: 1, creditsConsumed: 1 }),
  };
  const start = new OneJobServer(await build({ plan: { dailyCost: 5 } }), refuse);
  await startDaemon(t, start);
  await ended(start);
  assert.equal(start.failed[0]?.errorCode, "INSUFFICIENT_QUOTA");
  const destroy = new OneJobServer(
    await build({ plan: { dailyCost: 5 } }, WorkspaceTransition.DESTROY),
    refuse,
  );
  await startDaemon(t, destroy);
  await ended(destroy);
  assert.equal(destroy.completed.length, 1);
});

test("the server's cancel reaches the engine", async (t) => {
  const server = new OneJobServer(await build({ plan: { logs: ["holding"], answer: "hang" } }));
  server.canceled = true;
  await startDaemon(t, server);
  await ended(server);
  assert.equal(server.failed[0]?.error, "canceled");
});

test("a cancelled job whose engine does not follow ends when its time is over", async (t) => {
  const server = new OneJobServer(await build({}));
  server.canceled = true;
  const deaf: Engine = {
    ...echoEngine,
    plan: (session) => {
      session.emit(LogLevel.INFO, "working");
      return new Promise((resolve) => {
        session.killed.addEventListener("abort", () => resolve({ error: "killed" }));
      });
    },
  };
  await startDaemon(t, server, { engine: deaf, forceCancelMs: 1 });
  await ended(server);
  assert.match(server.failed[0]?.error ?? "", /Cancel timed out/);
});

test("an update that the server refuses fails the job", async (t) => {
  const server = new OneJobServer(await build({ plan: { logs: ["x"], answer: "hang" } }), {
    updateJob: () => {
      throw new DrpcError("you don't own this job");
    },
  });
  await startDaemon(t, server);
  await ended(server);
  assert.match(server.failed[0]?.error ?? "", /you don't own this job/);
});

test("a result that the server refuses becomes a failure that keeps the state", async (t) => {
  const server = new OneJobServer(await build({ apply: { state: Buffer.from("new") } }), {
    completeJob: () => {
      throw new DrpcError("insert resource: bad name");
    },
  });
  await startDaemon(t, server);
  await ended(server);
  assert.equal(server.failed[0]?.error, "internal provisionerserver error: insert resource: bad name");
  assert.equal(Buffer.from(stateOf(server.failed[0])).toString(), "new");
});

test("a call that is cut off is made again on a new connection", async (t) => {
  let cut = 3;
  const server = new OneJobServer(await build({}));
  const inner = server.handlers.completeJob;
  const broken: Handlers<typeof Service> = {
    ...server.handlers,
    completeJob: (job, info) => {
      if (cut-- > 0) throw new Error("unreachable");
      return inner?.(job, info) ?? {};
    },
  };
  const common = { clock: realClock, rand: cryptoRand, log: discardLogger };
  const router = provisionerRouter({ engine: echoEngine, workDir: await tempDir(t), ...common });
  let connections = 0;
  const daemon = ProvisionerDaemon.start({
    connect: async () => {
      connections++;
      const gone = new AbortController();
      const open = memoryStreams(drpcRouter(Service, broken));
      const client = drpcClient(Service, () => {
        const stream = open();
        if (cut > 0 && server.updates.length > 0) {
          cut--;
          gone.abort(new Error("cut"));
          stream.destroy();
        }
        return stream;
      });
      return { client, signal: gone.signal, close: () => {} };
    },
    provisioners: { echo: drpcClient(Provisioner, memoryStreams(router)) },
    ...common,
  });
  t.after(() => daemon[Symbol.asyncDispose]());
  await ended(server);
  assert.equal(server.completed.length, 1);
  assert.ok(connections > 1);
});

test("shutdown waits for the job; a killed daemon reports why it failed", async (t) => {
  const waiting = new OneJobServer(await build({}));
  const first = await startDaemon(t, waiting);
  await eventually("the job runs", () => waiting.updates.length > 0 || waiting.ended);
  await first.shutdown({ cancelJob: false });
  assert.equal(waiting.completed.length, 1);
  const held = new OneJobServer(await build({ plan: { logs: ["x"], answer: "hang" } }));
  const second = await startDaemon(t, held);
  await eventually("the job runs", () => held.logs.includes("Planning Infrastructure|x"));
  await second[Symbol.asyncDispose]();
  assert.equal(held.failed[0]?.error, "provisioner daemon was shutdown gracefully");
});

test("an idle daemon that leaves tells the server so", async (t) => {
  const server = new OneJobServer(await build({}));
  const daemon = await startDaemon(t, server);
  await ended(server);
  await daemon.shutdown({ cancelJob: false });
  await daemon.done;
});

test("a heartbeat is sent every 5 seconds while an engine is silent", async (t) => {
  const clock = new MockClock();
  const server = new OneJobServer(await build({ plan: { logs: ["x"], answer: "hang" } }));
  await startDaemon(t, server, { clock });
  await eventually("the plan runs", async () => {
    await clock.advance(250);
    return server.logs.includes("Planning Infrastructure|x");
  });
  const before = server.updates.length;
  await clock.advance(5_000);
  await eventually("a heartbeat", () => server.updates.length > before);
  assert.deepEqual(server.updates.at(-1), create(UpdateJobRequestSchema, { jobId: "job" }));
});
