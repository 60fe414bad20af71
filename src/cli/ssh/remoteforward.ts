/** `ssh -R`: ports or sockets of the workspace that lead to this machine. */
import { connect, type Socket } from "node:net";
import type { Client } from "ssh2";
import { UserError } from "../errors.ts";

export type RemoteForward =
  | { readonly kind: "tcp"; readonly remotePort: number; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly remotePath: string; readonly path: string };

/** `remote_port:local_address:local_port`, or `/remote.sock:/local.sock` with both paths absolute. */
export function parseRemoteForward(text: string): RemoteForward {
  const unix = /^(\/[^:]+):(\/[^:]+)$/.exec(text);
  if (unix) return { kind: "unix", remotePath: unix[1] ?? "", path: unix[2] ?? "" };
  const tcp = /^(\d{1,5}):(\[[0-9a-fA-F:.]+\]|[^:[\]/\s]+):(\d{1,5})$/.exec(text);
  const [remotePort, port] = [Number(tcp?.[1]), Number(tcp?.[3])];
  if (!tcp || ![remotePort, port].every((one) => one >= 1 && one <= 65_535)) {
    throw new UserError(
      `a remote forward is remote_port:local_address:local_port or /remote.sock:/local.sock: received ${JSON.stringify(text)}`,
    );
  }
  return { kind: "tcp", remotePort, host: (tcp[2] ?? "").replace(/^\[|\]$/g, ""), port };
}

/** Asks the workspace to listen. Forwards live as long as the client. */
export async function openRemoteForwards(client: Client, forwards: readonly RemoteForward[]): Promise<void> {
  const tcp = new Map<number, RemoteForward>();
  const unix = new Map<string, RemoteForward>();
  const serve = (
    forward: RemoteForward | undefined,
    accept: () => NodeJS.ReadWriteStream,
    refuse: () => void,
  ) => {
    if (!forward) {
      refuse();
      return;
    }
    const socket: Socket =
      forward.kind === "tcp" ? connect(forward.port, forward.host) : connect(forward.path);
    socket.once("error", refuse);
    socket.once("connect", () => {
      socket.off("error", refuse);
      const channel = accept();
      const end = (): void => void socket.destroy();
      channel.on("error", end).on("close", end);
      socket.on("error", () => channel.end());
      channel.pipe(socket).pipe(channel);
    });
  };
  client.on("tcp connection", (info, accept, refuse) => serve(tcp.get(info.destPort), accept, refuse));
  client.on("unix connection", (info, accept, refuse) => serve(unix.get(info.socketPath), accept, refuse));
  for (const forward of forwards) {
    await new Promise<void>((resolve, reject) => {
      const done = (error?: Error | null): void => {
        if (error) reject(new UserError(`the workspace refused a remote forward: ${error.message}`));
        else resolve();
      };
      if (forward.kind === "tcp") {
        tcp.set(forward.remotePort, forward);
        client.forwardIn("127.0.0.1", forward.remotePort, done);
      } else {
        unix.set(forward.remotePath, forward);
        client.openssh_forwardInStreamLocal(forward.remotePath, done);
      }
    });
  }
}
