/**
 * Reaches a relay over HTTP (spec network §11.3): `Upgrade: DERP`, and WebSocket where something in between does not let
 * that pass. Gives a byte stream whose next bytes are frames.
 */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { DERPMap_Region_Node } from "#rpc/gen/tailnet_pb.js";
import { dialWebSocket } from "#rpc/wsconn/dial.ts";
import { wsDuplex } from "#rpc/wsconn/duplex.ts";

export interface RelayDialOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly websocket: boolean;
  readonly signal: AbortSignal;
}

/** The server answered the upgrade with a 4xx: from now on this region is reached by WebSocket. */
export class UpgradeRefused extends Error {
  override readonly name = "UpgradeRefused";
}

const maxRefusal = 4096;

export function relayUrl(node: DERPMap_Region_Node): URL {
  const plain = node.forceHttp;
  const host = node.hostName.includes(":") ? `[${node.hostName}]` : node.hostName;
  const port = node.derpPort === 0 ? (plain ? 80 : 443) : node.derpPort;
  return new URL(`${plain ? "http" : "https"}://${host}:${port}/derp`);
}

export async function dialRelay(node: DERPMap_Region_Node, options: RelayDialOptions): Promise<Duplex> {
  const url = relayUrl(node);
  if (!options.websocket) return upgrade(url, node, options);
  const { headers = {}, signal } = options;
  return wsDuplex(await dialWebSocket(url, { headers, signal, protocol: "derp" }));
}

function upgrade(url: URL, node: DERPMap_Region_Node, options: RelayDialOptions): Promise<Duplex> {
  const { signal, headers = {} } = options;
  return new Promise((resolve, reject) => {
    const request = (url.protocol === "http:" ? httpRequest : httpsRequest)(url, {
      headers: { ...headers, Upgrade: "DERP", Connection: "Upgrade" },
      agent: false,
      signal,
      ...(url.protocol === "https:"
        ? {
            // An answer by HTTP/2 could not be upgraded.
            ALPNProtocols: ["http/1.1"],
            rejectUnauthorized: !node.insecureForTests,
            ...(node.certName === "" ? {} : { servername: node.certName }),
          }
        : {}),
    });
    request.on("error", reject);
    request.on("upgrade", (_response, socket, head) => {
      if (socket instanceof Socket) socket.setNoDelay(true);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.on("response", (response) => {
      void refusal(response).then((body) => {
        const status = response.statusCode ?? 0;
        const text = `GET failed with status code ${status} (a proxy could be disallowing the use of 'Upgrade: derp'): ${body}`;
        reject(status >= 400 && status < 500 ? new UpgradeRefused(text) : new Error(text));
        request.destroy();
      });
    });
    request.end();
  });
}

async function refusal(response: IncomingMessage): Promise<string> {
  let text = "";
  try {
    for await (const part of response) {
      text += Buffer.from(part).toString("utf8");
      if (text.length > maxRefusal) break;
    }
  } catch {
    // What came so far says enough.
  }
  return text.slice(0, maxRefusal);
}
