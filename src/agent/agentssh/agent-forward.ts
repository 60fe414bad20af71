/**
 * Agent forwarding: a socket in the workspace whose connections become channels to the client's ssh-agent. The socket's
 * folder can be entered by its user only, and goes with the session.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection } from "ssh2";
import { offer, type OfferOptions, type OpenChannel } from "./offer.ts";

/** Something that listens for a session. */
export interface Forwarding extends AsyncDisposable {
  /** How programs of the session find it. */
  readonly variables: Readonly<Record<string, string>>;
}

export async function forwardAgent(
  options: OfferOptions & { readonly connection: Connection },
): Promise<Forwarding> {
  const open = agentChannel(options.connection);
  const dir = await mkdtemp(join(tmpdir(), "auth-agent"));
  const path = join(dir, "listener.sock");
  const server = createServer({ allowHalfOpen: true }, (socket) => offer(socket, open, options));
  try {
    await listening(server, { path });
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
  return {
    variables: { SSH_AUTH_SOCK: path },
    async [Symbol.asyncDispose]() {
      server.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export function listening(
  server: Server,
  at: { readonly path: string } | { readonly host: string; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(at, () => {
      server.off("error", reject);
      server.on("error", () => {});
      resolve();
    });
  });
}

const window = 2 * 1024 * 1024;
const packet = 32 * 1024;

/**
 * ssh2's server opens every kind of channel but this one, although its protocol layer can. What it does for the others is
 * repeated here on its own parts; their shape is checked, so that another version fails with a reason.
 */
function agentChannel(connection: Connection): OpenChannel {
  const channels: unknown = Reflect.get(connection, "_chanMgr");
  const protocol: unknown = Reflect.get(connection, "_protocol");
  if (!canAdd(channels) || !canOpenAgent(protocol)) throw new Error("this ssh2 cannot open agent channels");
  return (opened) => {
    const wait = Object.assign(
      (error: Error | undefined, channel: Parameters<typeof opened>[1]) => opened(error, channel),
      {
        type: "auth-agent@openssh.com",
      },
    );
    const id = channels.add(wait);
    if (id === -1) throw new Error("no channel is free");
    protocol.openssh_authAgent(id, window, packet);
  };
}

interface Channels {
  add(wait: (error: Error | undefined, channel: never) => void): number;
}

interface AgentProtocol {
  openssh_authAgent(channel: number, window: number, packet: number): void;
}

const has = (value: unknown, method: string): boolean =>
  typeof value === "object" && value !== null && typeof Reflect.get(value, method) === "function";

const canAdd = (value: unknown): value is Channels => has(value, "add");
const canOpenAgent = (value: unknown): value is AgentProtocol => has(value, "openssh_authAgent");
