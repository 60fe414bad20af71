/**
 * X11 forwarding: a display of the workspace (a TCP port on the loopback address) whose connections become channels to
 * the client's display. The client's cookie goes into ~/.Xauthority; the client itself checks and replaces it.
 */
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Connection, X11Info } from "ssh2";
import { type Forwarding, listening } from "./agent-forward.ts";
import { offer, type OfferOptions } from "./offer.ts";
import { maxAuthorityBytes, withAuthority } from "./xauthority.ts";

const basePort = 6000;
const firstDisplay = 10;
const lastDisplay = 200;

export interface X11Options extends OfferOptions {
  readonly connection: Connection;
  readonly home: string;
}

export async function forwardX11(info: X11Info, options: X11Options): Promise<Forwarding> {
  const text = String(info.cookie);
  if (!/^(?:[0-9a-f]{2}){1,256}$/iu.test(text)) throw new Error("the cookie must be hexadecimal");
  if (!/^[\w.-]{1,64}$/u.test(info.protocol)) throw new Error("the protocol's name makes no sense");
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (info.single) server.close();
    const { remoteAddress = "127.0.0.1", remotePort = 0 } = socket;
    offer(socket, (opened) => void options.connection.x11(remoteAddress, remotePort, opened), options);
  });
  const display = await firstFree(async (number) => {
    await listening(server, { host: "127.0.0.1", port: basePort + number });
  });
  try {
    const cookie = Buffer.from(text, "hex");
    const entry = { host: hostname(), display, protocol: info.protocol, cookie };
    merge(join(options.home, ".Xauthority"), (file) => withAuthority(file, entry), `coder-${display}`);
  } catch (error) {
    server.close();
    throw error;
  }
  return {
    variables: { DISPLAY: `localhost:${display}.${info.screen}` },
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

async function firstFree(listen: (display: number) => Promise<void>): Promise<number> {
  for (let display = firstDisplay; display <= lastDisplay; display++) {
    try {
      await listen(display);
      return display;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
    }
  }
  throw new Error(`all displays from ${firstDisplay} to ${lastDisplay} are taken`);
}

/** At once, so that no other session of this agent comes between; never half written. */
function merge(path: string, change: (file: Uint8Array) => Uint8Array, unique: string): void {
  const old =
    existsSync(path) && statSync(path).size <= maxAuthorityBytes ? readFileSync(path) : Buffer.alloc(0);
  const next = `${path}.${unique}`;
  try {
    writeFileSync(next, change(old), { mode: 0o600 });
    renameSync(next, path);
  } finally {
    rmSync(next, { force: true });
  }
}
