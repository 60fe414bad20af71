/**
 * The provider inside this process, for one run of Terraform. Terraform finds it by TF_REATTACH_PROVIDERS and then
 * neither looks for a binary nor for a lock hash.
 *
 * The traps: `Test` must be true, or Terraform kills `Pid` at its end; and where the socket cannot be reached it kills
 * `Pid` at once, whatever `Test` says. So `Pid` is Terraform's own: a shell writes its pid and becomes Terraform.
 */
import { once } from "node:events";
import { createServer, type Http2Session } from "node:http2";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Provider } from "#rpc/gen/tfplugin5_pb.js";
import { providerAddress } from "../../coderprovider/provider.ts";
import type { ProviderContext } from "../../coderprovider/types.ts";
import { GrpcRouter, serveGrpc } from "./grpc.ts";
import { providerService } from "./service.ts";

/** Room of `sockaddr_un`, without its final zero. */
const maxSocketPathBytes = 107;

export interface ReattachedProvider extends AsyncDisposable {
  /** A command line that runs `argv` with the provider attached. */
  wrap(argv: readonly string[]): readonly string[];
}

function reattachJson(pid: string, socket: string): string {
  const address = { Network: "unix", String: socket };
  const config = { Protocol: "grpc", ProtocolVersion: 5, Pid: 0, Test: true, Addr: address };
  return JSON.stringify({ [providerAddress]: config }).replace('"Pid":0', `"Pid":${pid}`);
}

export interface ServeProviderOptions {
  /** Folder for the socket's own folder. */
  readonly parent?: string;
}

/** Rejects where the socket cannot be made. Dispose ends all connections and removes the socket. */
export async function serveProvider(
  context: Omit<ProviderContext, "url">,
  options: ServeProviderOptions = {},
): Promise<ReattachedProvider> {
  const dir = await mkdtemp(join(options.parent ?? tmpdir(), "coder-provider-"));
  const socket = join(dir, "p.sock");
  const server = createServer();
  const sessions = new Set<Http2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  serveGrpc(server, () => new GrpcRouter().add(Provider, providerService(context)));
  async function dispose(): Promise<void> {
    for (const session of sessions) session.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await rm(dir, { recursive: true, force: true });
  }
  try {
    if (Buffer.byteLength(socket) > maxSocketPathBytes) {
      throw new Error(`the folder for temporary files has too long a name for a socket: ${dir}`);
    }
    server.listen(socket);
    await once(server, "listening");
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
  return {
    wrap(argv) {
      const [head = "", tail = ""] = reattachJson("\0", socket).split("\0");
      const shell = 'export TF_REATTACH_PROVIDERS="$1$$$2"; shift 2; exec "$@"';
      return ["/bin/sh", "-c", shell, "sh", head, tail, ...argv];
    },
    [Symbol.asyncDispose]: dispose,
  };
}
