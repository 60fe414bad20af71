/**
 * The engine's side of the session protocol (spec provisioning §7): one bidirectional call per job. Daemons drive it
 * through client.ts. It unpacks archives, checks the order of requests, sends logs at or above the wanted level, turns
 * exceptions into `error` fields, and removes the session's folder at the end.
 *
 *     config → init [→ files] → parse | plan → graph | apply → graph …; cancel at any time
 */
import { readFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#quartz/clock.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Logger } from "#slog/slog.ts";
import { create } from "@bufbuild/protobuf";
import { DrpcError } from "#rpc/drpc/call.ts";
import type { MessageStream } from "#rpc/drpc/messages.ts";
import { drpcRouter, type DrpcRouter } from "#rpc/drpc/server.ts";
import {
  type Config,
  type InitRequest,
  LogLevel,
  ParseCompleteSchema,
  Provisioner,
  type Request,
  type RequestSchema,
  type ResponseSchema,
} from "#rpc/gen/provisionersdk_pb.js";
import { unpackArchive } from "./archive.ts";
import type { Engine, EngineSession } from "./engine.ts";
import { answerOf, failedAnswer, type Answer } from "./answer.ts";
import { FileAssembler } from "./upload.ts";
import { markBuild } from "./leftover.ts";
import { makeSessionFolder } from "./workdir.ts";

export interface SessionServerOptions {
  readonly engine: Engine;
  /** Parent of the sessions' folders. */
  readonly workDir: string;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
  /** Time between a cancel and the kill of what does not stop. @default 3 minutes */
  readonly exitTimeoutMs?: number;
}

type Stream = MessageStream<typeof ResponseSchema, typeof RequestSchema>;

/** The routes of service `provisioner.Provisioner`. */
export function provisionerRouter(options: SessionServerOptions): DrpcRouter {
  return drpcRouter(Provisioner, { session: (stream) => serve(stream, options) });
}

async function serve(stream: Stream, options: SessionServerOptions): Promise<void> {
  const first = await stream.receive();
  if (first?.type.case !== "config") throw new DrpcError("first request must be Config");
  const { clock, log } = options;
  await using folder = await makeSessionFolder(options.workDir, { id: options.rand.uuid(), clock, log });
  const files = join(folder.path, "files");
  await mkdir(files);
  const session = new Session(stream, options, { config: first.type.value, workDir: folder.path, files });
  try {
    for await (const request of stream) {
      // Nobody waits for an answer any more.
      if (stream.signal.aborted) return;
      session.take(request);
    }
  } finally {
    await session.stop();
  }
}

/** Log text that waits to be sent; a reader that is slower than this loses lines, and is told so. */
const maxUnsentLog = 16 * 1024 * 1024;

class Session {
  readonly #stream: Stream;
  readonly #engine: Engine;
  readonly #view: EngineSession;
  readonly #canceled = new AbortController();
  readonly #killed = new AbortController();
  readonly #options: SessionServerOptions;
  readonly #minLevel: LogLevel;
  #running: Promise<void> | undefined;
  #runningKind = "";
  #upload: { readonly request: InitRequest; assembler?: FileAssembler } | undefined;
  #initialized = false;
  #planned = false;
  #unsent = 0;
  #dropped = false;

  constructor(
    stream: Stream,
    options: SessionServerOptions,
    place: { readonly config: Config; readonly workDir: string; readonly files: string },
  ) {
    this.#stream = stream;
    this.#engine = options.engine;
    this.#options = options;
    this.#minLevel = minimumLevel(place.config.provisionerLogLevel);
    this.#view = {
      ...place,
      clock: options.clock,
      log: options.log,
      canceled: this.#canceled.signal,
      killed: this.#killed.signal,
      emit: (level, output) => this.#emit(level, output),
    };
    stream.signal.addEventListener("abort", () => this.#cancel());
  }

  /** A request of the daemon. Throws when it comes out of order: that ends the session. */
  take({ type }: Request): void {
    if (type.case === "cancel") {
      // Also between two requests: the next one finds it.
      this.#cancel();
      return;
    }
    if (type.case === "file") return this.#takeFile(type.value);
    if (this.#running || this.#upload) {
      throw new DrpcError(`got new request ${type.case ?? "none"} while old request still processing`);
    }
    switch (type.case) {
      case "init":
        if (this.#initialized) throw new DrpcError("cannot init more than once per session");
        if (type.value.initialModuleTarHash.length > 0) this.#upload = { request: type.value };
        else this.#run("init", () => this.#init(type.value, undefined));
        return;
      case "parse":
        this.#need(this.#initialized, "parse", "init");
        return this.#run("parse", () => this.#parse(type.value));
      case "plan":
        this.#need(this.#initialized, "plan", "init");
        return this.#run("plan", () => this.#plan(type.value));
      case "apply":
        this.#need(this.#planned, "apply", "plan");
        return this.#run("apply", async () => {
          return { case: "apply", value: await this.#engine.apply(this.#view, type.value) };
        });
      case "graph":
        this.#need(this.#initialized, "graph", "init");
        return this.#run("graph", async () => {
          return { case: "graph", value: await this.#engine.graph(this.#view, type.value) };
        });
      case "config":
      case undefined:
        throw new DrpcError(`unexpected request in a session: ${type.case ?? "none"}`);
    }
  }

  /** Cancels what runs and waits for it. */
  async stop(): Promise<void> {
    this.#cancel();
    await this.#running;
  }

  #need(done: boolean, kind: string, before: string): void {
    if (!done) throw new DrpcError(`cannot ${kind} before successful ${before}`);
  }

  #takeFile(file: Extract<Request["type"], { case: "file" }>["value"]): void {
    const upload = this.#upload;
    if (!upload) throw new DrpcError("got a file that was not announced");
    const { type } = file;
    let data: Buffer | undefined;
    if (type.case === "dataUpload" && !upload.assembler) {
      upload.assembler = new FileAssembler(type.value);
      data = upload.assembler.finished();
    } else if (type.case === "chunkPiece" && upload.assembler) {
      data = upload.assembler.add(type.value);
    } else {
      throw new DrpcError(`unexpected message in an upload: ${type.case ?? "none"}`);
    }
    if (!data) return;
    this.#upload = undefined;
    const modules = data;
    this.#run("init", () => this.#init(upload.request, modules));
  }

  async #init(request: InitRequest, modules: Buffer | undefined): Promise<Answer> {
    const { files } = this.#view;
    await unpackArchive(request.templateSourceArchive, files);
    if (modules) await unpackArchive(modules, files);
    const value = await this.#engine.init(this.#view, request);
    this.#initialized = (value.error ?? "") === "";
    return { case: "init", value };
  }

  async #parse(request: Extract<Request["type"], { case: "parse" }>["value"]): Promise<Answer> {
    const value = create(ParseCompleteSchema, await this.#engine.parse(this.#view, request));
    if (value.readme.length === 0) {
      value.readme = await readFile(join(this.#view.files, "README.md")).catch(() => new Uint8Array());
    }
    return { case: "parse", value };
  }

  async #plan(request: Extract<Request["type"], { case: "plan" }>["value"]): Promise<Answer> {
    this.#planned = false;
    const buildId = request.metadata?.workspaceBuildId ?? "";
    if (buildId !== "") markBuild(this.#view.workDir, buildId);
    const value = await this.#engine.plan(this.#view, request);
    this.#planned = (value.error ?? "") === "";
    return { case: "plan", value };
  }

  #run(kind: Answer["case"], work: () => Promise<Answer>): void {
    this.#runningKind = kind;
    this.#running = work()
      .catch((error: unknown) => failedAnswer(kind, error))
      .then(async (complete) => {
        this.#running = undefined;
        for (const message of answerOf(complete)) await this.#stream.send({ type: message });
      })
      .catch((error: unknown) => {
        this.#options.log.debug("an answer found no reader", { kind: this.#runningKind, error });
      });
  }

  #cancel(): void {
    if (this.#canceled.signal.aborted) return;
    this.#canceled.abort(new Error("the job was canceled"));
    const { clock, exitTimeoutMs = 3 * 60_000 } = this.#options;
    const kill = clock.timer(
      exitTimeoutMs,
      () => this.#killed.abort(new Error("the job did not stop in time")),
      {
        tag: "session-kill",
        unref: true,
      },
    );
    void this.#running?.finally(() => kill.stop());
    if (!this.#running) kill.stop();
  }

  #emit(level: LogLevel, output: string): void {
    if (level < this.#minLevel || this.#stream.signal.aborted) return;
    if (this.#unsent > maxUnsentLog) {
      if (this.#dropped) return;
      this.#dropped = true;
      return this.#sendLog(LogLevel.WARN, "The reader of this log is too slow; lines are missing here.");
    }
    this.#dropped = false;
    this.#sendLog(level, output);
  }

  #sendLog(level: LogLevel, output: string): void {
    this.#unsent += output.length;
    this.#stream
      .send({ type: { case: "log", value: { level, output } } })
      .catch(() => {})
      .finally(() => {
        this.#unsent -= output.length;
      });
  }
}

function minimumLevel(name: string): LogLevel {
  switch (name.toUpperCase()) {
    case "DEBUG":
      return LogLevel.DEBUG;
    case "INFO":
      return LogLevel.INFO;
    case "WARN":
      return LogLevel.WARN;
    case "ERROR":
      return LogLevel.ERROR;
    default:
      return LogLevel.TRACE;
  }
}
