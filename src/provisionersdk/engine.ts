/**
 * What an engine (terraform, native, echo) implements. The session server (session.ts) speaks the wire protocol for
 * it: it unpacks archives, checks the order of requests, streams logs and turns exceptions into `error` fields.
 */
import type {
  ApplyRequest,
  Config,
  GraphRequest,
  InitRequest,
  LogLevel,
  ParseRequest,
  PlanRequest,
} from "#rpc/gen/provisionersdk_pb.js";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  ApplyCompleteSchema,
  GraphCompleteSchema,
  InitCompleteSchema,
  ParseCompleteSchema,
  PlanCompleteSchema,
} from "#rpc/gen/provisionersdk_pb.js";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";

export interface EngineSession {
  /** First request of the session. */
  readonly config: Config;
  /** Empty folder of this session alone; the session server removes it. The template's files are in `files`. */
  readonly workDir: string;
  /** Unpacked template archive: `<workDir>/files`, filled before `init` is called. */
  readonly files: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts when the job is cancelled: stop gracefully (interrupt), save what was made. */
  readonly canceled: AbortSignal;
  /** Aborts when waiting is over: kill. */
  readonly killed: AbortSignal;
  /** A line of the job's log, shown to the user. */
  emit(level: LogLevel, output: string): void;
}

/**
 * Each method returns the fields of its `…Complete` message. A failure that belongs to the user (bad template, failed
 * resource) is returned in `error`; a thrown exception becomes `error` as well. `apply` must return the state it has
 * even when it fails, so that nothing that was made is forgotten.
 */
export interface Engine {
  init(session: EngineSession, request: InitRequest): Promise<MessageInitShape<typeof InitCompleteSchema>>;
  parse(session: EngineSession, request: ParseRequest): Promise<MessageInitShape<typeof ParseCompleteSchema>>;
  plan(session: EngineSession, request: PlanRequest): Promise<MessageInitShape<typeof PlanCompleteSchema>>;
  apply(session: EngineSession, request: ApplyRequest): Promise<MessageInitShape<typeof ApplyCompleteSchema>>;
  graph(session: EngineSession, request: GraphRequest): Promise<MessageInitShape<typeof GraphCompleteSchema>>;
}
