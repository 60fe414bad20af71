/**
 * The log of a running job: lines are collected and sent with `UpdateJob` every 250 ms, or when more than 100 wait.
 * Sending also proves that the daemon lives; when nothing was sent for 5 s, an empty update does.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Clock, Timer } from "#quartz/clock.ts";
import {
  LogSource,
  type LogSchema,
  type UpdateJobResponse,
  type UpdateJobRequestSchema,
} from "#rpc/gen/provisionerd_pb.js";
import { LogLevel } from "#rpc/gen/provisionersdk_pb.js";

type Line = MessageInitShape<typeof LogSchema>;
type Update = Omit<MessageInitShape<typeof UpdateJobRequestSchema>, "jobId" | "$typeName">;

export interface JobUpdates {
  send(update: Update): Promise<UpdateJobResponse>;
  /** An update could not be sent: the job cannot go on. */
  onError(error: unknown): void;
}

const flushMs = 250;
const maxQueued = 100;
export const heartbeatMs = 5_000;

export class JobLog {
  readonly #clock: Clock;
  readonly #updates: JobUpdates;
  readonly #flushTimer: Timer;
  readonly #heartbeat: Timer;
  #stage = "";
  #lines: Line[] = [];
  #sending: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(clock: Clock, updates: JobUpdates) {
    this.#clock = clock;
    this.#updates = updates;
    this.#flushTimer = clock.timer(flushMs, () => this.#background(), { tag: "joblog-flush" });
    this.#flushTimer.stop();
    this.#heartbeat = clock.timer(heartbeatMs, () => this.#beat(), { tag: "joblog-heartbeat" });
  }

  /** Begins a stage of the job, with an empty line of the daemon. */
  stage(name: string): void {
    this.#stage = name;
    this.add(LogLevel.INFO, "", LogSource.PROVISIONER_DAEMON);
  }

  /** Names the stage of the lines that follow. */
  enter(name: string): void {
    this.#stage = name;
  }

  add(level: LogLevel, output: string, source: LogSource = LogSource.PROVISIONER): void {
    if (this.#stopped) return;
    const createdAt = BigInt(this.#clock.now().getTime());
    if (this.#lines.length === 0) this.#flushTimer.reset(flushMs);
    this.#lines.push({ source, level, createdAt, stage: this.#stage, output });
    if (this.#lines.length > maxQueued) this.#background();
  }

  /** Sends what waits; resolves when the server has it. */
  flush(): Promise<void> {
    this.#flushTimer.stop();
    this.#sending = this.#sending.then(async () => {
      const logs = this.#lines;
      if (logs.length === 0) return;
      this.#lines = [];
      await this.#send({ logs });
    });
    return this.#sending;
  }

  /** An update with a payload of its own, after the lines that wait. */
  async update(update: Update): Promise<UpdateJobResponse> {
    await this.flush();
    return this.#send(update);
  }

  /** No more lines, no more heartbeats. */
  stop(): void {
    this.#stopped = true;
    this.#flushTimer.stop();
    this.#heartbeat.stop();
  }

  async #send(update: Update): Promise<UpdateJobResponse> {
    const answer = await this.#updates.send(update);
    if (!this.#stopped) this.#heartbeat.reset(heartbeatMs);
    return answer;
  }

  #background(): void {
    this.flush().catch((error: unknown) => this.#updates.onError(error));
  }

  #beat(): void {
    this.#send({}).catch((error: unknown) => this.#updates.onError(error));
  }
}
