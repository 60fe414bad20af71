/**
 * How DERP connections come in over HTTP (spec network §11.3), on the same path:
 *
 * - `Upgrade: DERP` → 101 and frames; with `Derp-Fast-Start: 1` frames at once, without an answer
 * - `Upgrade: websocket`, subprotocol `derp`, any origin → frames in binary messages whose borders mean nothing
 * - `Upgrade: websocket` without it: as `Upgrade: DERP`, as very old clients mean it
 */
import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { wsDuplex } from "#rpc/wsconn/duplex.ts";
import { maxFrame, protocolVersion } from "./frame.ts";
import type { DerpServer } from "./server.ts";

export const upgradeRequired = "DERP requires connection upgrade\n";

export interface DerpHttp {
  /** Takes an upgrade request for the relay's path; serves it or refuses it. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export function derpHttp(server: DerpServer): DerpHttp {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: maxFrame + 1024,
    handleProtocols: () => "derp",
  });
  sockets.on("headers", (lines) => lines.push("Vary: Cookie"));
  return {
    upgrade(request, socket, head) {
      socket.on("error", () => socket.destroy());
      if (socket instanceof Socket) socket.setNoDelay(true);
      const wanted = (request.headers.upgrade ?? "").toLowerCase();
      if (wanted === "websocket" && offersDerp(request)) {
        return serveWebSocket(sockets, server, request, socket, head);
      }
      if (wanted !== "derp" && wanted !== "websocket") return refuse(socket);
      if (request.headers["derp-fast-start"] !== "1") socket.write(switching(server));
      if (head.length > 0) socket.unshift(head);
      void server.accept(socket);
    },
  };
}

const offersDerp = ({ headers }: IncomingMessage): boolean =>
  (headers["sec-websocket-protocol"] ?? "").split(",").some((name) => name.trim() === "derp");

function switching(server: DerpServer): string {
  return (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n" +
    `Derp-Version: ${protocolVersion}\r\nDerp-Public-Key: ${server.publicKey.toString("hex")}\r\n\r\n`
  );
}

function refuse(socket: Duplex): void {
  socket.end(
    "HTTP/1.1 426 Upgrade Required\r\nContent-Type: text/plain; charset=utf-8\r\n" +
      `X-Content-Type-Options: nosniff\r\nContent-Length: ${upgradeRequired.length}\r\n\r\n${upgradeRequired}`,
  );
}

function serveWebSocket(
  sockets: WebSocketServer,
  server: DerpServer,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  sockets.handleUpgrade(request, socket, head, (ws) => {
    void server.accept(wsDuplex(ws));
  });
}
