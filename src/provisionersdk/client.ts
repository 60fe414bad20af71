/**
 * The daemon's side of the session protocol (spec provisioning §7): one object per job. One request at a time; log
 * lines go to `onLog` as they come. Close it to end the session and let the engine clean up.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { DrpcClient } from "#rpc/drpc/client.ts";
import { CallClosedError } from "#rpc/drpc/call.ts";
import type { MessageStream } from "#rpc/drpc/messages.ts";
import type {
  ApplyComplete,
  ApplyRequestSchema,
  ConfigSchema,
  GraphComplete,
  GraphRequestSchema,
  InitComplete,
  InitRequestSchema,
  Log,
  ParseComplete,
  PlanComplete,
  PlanRequestSchema,
  Provisioner,
  RequestSchema,
  Response,
  ResponseSchema,
} from "#rpc/gen/provisionersdk_pb.js";
import { FileAssembler, filePieces, sha256 } from "./upload.ts";

/** The value of the answer that ends a request; undefined for any other response. */
type Pick<V> = (type: Response["type"]) => V | undefined;
type RequestType = NonNullable<MessageInitShape<typeof RequestSchema>["type"]>;

export class SessionClient implements AsyncDisposable {
  readonly #stream: MessageStream<typeof RequestSchema, typeof ResponseSchema>;
  readonly #onLog: (log: Log) => void;
  #moduleFiles: Buffer | undefined;

  static async start(
    provisioner: DrpcClient<typeof Provisioner>,
    options: {
      readonly config: MessageInitShape<typeof ConfigSchema>;
      readonly onLog: (log: Log) => void;
      readonly signal?: AbortSignal;
    },
  ): Promise<SessionClient> {
    const client = new SessionClient(provisioner.session({ signal: options.signal }), options.onLog);
    await client.#send({ case: "config", value: options.config });
    return client;
  }

  private constructor(
    stream: MessageStream<typeof RequestSchema, typeof ResponseSchema>,
    onLog: (log: Log) => void,
  ) {
    this.#stream = stream;
    this.#onLog = onLog;
  }

  /** `modules`: archive of modules that need not be downloaded again. The answer carries module files whole. */
  async init(
    request: MessageInitShape<typeof InitRequestSchema>,
    modules?: Uint8Array,
  ): Promise<InitComplete> {
    const hash = modules ? sha256(modules) : new Uint8Array();
    await this.#send({ case: "init", value: { ...request, initialModuleTarHash: hash } });
    if (modules) {
      for (const piece of filePieces(modules)) await this.#send({ case: "file", value: { type: piece } });
    }
    const complete = await this.#complete((type) => (type.case === "init" ? type.value : undefined));
    if (complete.moduleFilesHash.length > 0) {
      const files = this.#moduleFiles;
      if (!files || !sha256(files).equals(complete.moduleFilesHash)) {
        throw new Error("the module files did not arrive");
      }
      complete.moduleFiles = files;
    }
    return complete;
  }

  parse(): Promise<ParseComplete> {
    return this.#ask({ case: "parse", value: {} }, (type) =>
      type.case === "parse" ? type.value : undefined,
    );
  }

  plan(request: MessageInitShape<typeof PlanRequestSchema>): Promise<PlanComplete> {
    return this.#ask({ case: "plan", value: request }, (type) =>
      type.case === "plan" ? type.value : undefined,
    );
  }

  apply(request: MessageInitShape<typeof ApplyRequestSchema>): Promise<ApplyComplete> {
    return this.#ask({ case: "apply", value: request }, (type) =>
      type.case === "apply" ? type.value : undefined,
    );
  }

  graph(request: MessageInitShape<typeof GraphRequestSchema>): Promise<GraphComplete> {
    return this.#ask({ case: "graph", value: request }, (type) =>
      type.case === "graph" ? type.value : undefined,
    );
  }

  /** Asks the engine to stop what it does; its answer still comes. */
  async cancel(): Promise<void> {
    await this.#send({ case: "cancel", value: {} });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream.close();
  }

  async #ask<V>(request: RequestType, pick: Pick<V>): Promise<V> {
    await this.#send(request);
    return this.#complete(pick);
  }

  #send(type: RequestType): Promise<void> {
    return this.#stream.send({ type });
  }

  async #complete<V>(pick: Pick<V>): Promise<V> {
    let assembler: FileAssembler | undefined;
    for (;;) {
      const response = await this.#stream.receive();
      if (!response) throw new CallClosedError("the engine ended the session");
      const { type } = response;
      const value = pick(type);
      if (value !== undefined) return value;
      if (type.case === "log") this.#onLog(type.value);
      else if (type.case === "dataUpload") {
        assembler = new FileAssembler(type.value);
        this.#moduleFiles = assembler.finished();
      } else if (type.case === "chunkPiece") this.#moduleFiles = assembler?.add(type.value);
      else throw new Error(`the engine gave an answer that was not asked for: ${type.case ?? "none"}`);
    }
  }
}
