/**
 * A small client of the Docker Engine API (https://docs.docker.com/reference/api/engine/) over a unix socket, TCP or TLS.
 * Paths carry no version: the daemon takes its own. Answers are bounded; errors name the daemon and what to do.
 */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { userInfo } from "node:os";
import { createInterface } from "node:readline";
import { type DockerEndpoint, endpointText } from "./endpoint.ts";

/** The daemon answered, and refused. */
export class DockerApiError extends Error {
  override readonly name = "DockerApiError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** No answer: whether anything was done is not known. */
export class DockerUnreachable extends Error {
  override readonly name = "DockerUnreachable";
}

export interface DockerCall {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Without a byte for this long the call is given up. @default 2 minutes */
  readonly idleMs?: number;
}

const maxAnswer = 32 * 1024 * 1024;
const maxLine = 1024 * 1024;

export class DockerClient {
  readonly endpoint: DockerEndpoint;

  constructor(endpoint: DockerEndpoint) {
    this.endpoint = endpoint;
  }

  /** The answer's JSON; undefined if it has none. Throws DockerApiError for a status of 400 or more. */
  async call(method: string, path: string, call: DockerCall = {}): Promise<unknown> {
    const response = await this.#send(method, path, call);
    const text = await this.#body(response);
    return text === "" || response.statusCode === 204 ? undefined : parse(text);
  }

  /** Like `call`, undefined where there is nothing of that name. */
  async find(path: string, call: DockerCall = {}): Promise<unknown> {
    try {
      return await this.call("GET", path, call);
    } catch (error) {
      if (error instanceof DockerApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Answers that are lines of JSON, as they come. */
  async *lines(method: string, path: string, call: DockerCall = {}): AsyncIterable<unknown> {
    const response = await this.#send(method, path, call);
    const reader = createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY });
    let broken: Error | undefined;
    response.once("error", (error) => {
      broken = error;
    });
    try {
      for await (const line of reader) {
        if (line.length > maxLine) throw new Error("Docker sent a line that is too long");
        if (line.trim() !== "") yield parse(line);
      }
    } catch (error) {
      // The reader throws what broke the answer.
      if (error !== broken || broken === undefined) throw error;
    }
    if (broken !== undefined || !response.complete) {
      throw this.#unreachable(broken ?? new Error("the answer was cut off"));
    }
  }

  /** Raw bytes, at most `maxAnswer`. */
  async bytes(path: string, call: DockerCall = {}): Promise<Buffer> {
    const response = await this.#send("GET", path, call);
    return Buffer.from(await this.#body(response, "latin1"), "latin1");
  }

  async ping(signal?: AbortSignal): Promise<void> {
    const response = await this.#send("GET", "/_ping", { idleMs: 5_000, ...(signal ? { signal } : {}) });
    response.resume();
  }

  #send(method: string, path: string, call: DockerCall): Promise<IncomingMessage> {
    const { endpoint } = this;
    const search = new URLSearchParams(call.query).toString();
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const options = {
      method,
      path: search === "" ? path : `${path}?${search}`,
      headers: {
        Host: "docker",
        ...(body === undefined
          ? {}
          : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) }),
        ...call.headers,
      },
      agent: false,
      timeout: call.idleMs ?? 120_000,
      ...(call.signal ? { signal: call.signal } : {}),
      ...(endpoint.kind === "unix"
        ? { socketPath: endpoint.path }
        : { host: endpoint.host, port: endpoint.port, ...endpoint.tls }),
    } as const;
    return new Promise((resolve, reject) => {
      const tls = endpoint.kind === "tcp" && endpoint.tls !== undefined;
      const request = (tls ? httpsRequest : httpRequest)(options, (response) => {
        const status = response.statusCode ?? 0;
        if (status < 400) return resolve(response);
        this.#body(response).then(
          (text) => reject(new DockerApiError(status, messageIn(text) || `Docker answered ${status}`)),
          reject,
        );
      });
      request.once("timeout", () => request.destroy(new Error("it gave no answer in time")));
      request.once("error", (error) => reject(this.#unreachable(error, call.signal)));
      request.end(body);
    });
  }

  async #body(response: IncomingMessage, encoding: BufferEncoding = "utf8"): Promise<string> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of response) {
        const bytes: Buffer = chunk;
        size += bytes.length;
        if (size > maxAnswer) throw new Error(`its answer exceeds ${maxAnswer} bytes`);
        chunks.push(bytes);
      }
    } catch (error) {
      throw this.#unreachable(error instanceof Error ? error : new Error(String(error)));
    }
    return Buffer.concat(chunks).toString(encoding);
  }

  #unreachable(error: Error, signal?: AbortSignal): Error {
    if (signal?.aborted) return error;
    const code = "code" in error ? String(error.code) : "";
    const where = `the Docker daemon at ${endpointText(this.endpoint)}`;
    return new DockerUnreachable(`cannot talk to ${where}: ${unreachableReason(code, error, userName())}`, {
      cause: error,
    });
  }
}

/** What is wrong, and what a person does about it. */
export function unreachableReason(code: string, error: Error, user: string): string {
  switch (code) {
    case "EACCES":
    case "EPERM":
      return `permission denied for user ${user}. Add that user to the group of the socket (usually: sudo usermod -aG docker ${user}), then start the server anew`;
    case "ENOENT":
      return "no such socket. Start Docker, or name its address in DOCKER_HOST or in the template's provider block";
    case "ECONNREFUSED":
      return "connection refused: nothing listens there. Start Docker, or correct DOCKER_HOST or the template's provider block";
    default:
      return error.message;
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "unknown");
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`Docker sent what is no JSON: ${text.slice(0, 100)}`, { cause: error });
  }
}

function messageIn(text: string): string {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === "object" && json !== null && "message" in json) return String(json.message);
  } catch {
    // A proxy in between may answer with a page.
  }
  return text.slice(0, 500).trim();
}
