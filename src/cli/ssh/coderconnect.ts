/** The system-wide tunnel of the desktop program: where it runs, a connection needs no tunnel of its own. */
import { lookup } from "node:dns/promises";
import { connect, type Socket } from "node:net";

/** Addresses inside tailnets, fd60:627a:a42b::/48. */
const tunnelPrefix = "fd60:627a:a42b:";
const lookupMs = 1_000;
const connectMs = 5_000;

/** Whether the name resolves to an address inside the tunnel. A slow or absent resolver means no. */
export async function servedByCoderConnect(name: string, signal: AbortSignal): Promise<boolean> {
  const stop = AbortSignal.any([signal, AbortSignal.timeout(lookupMs)]);
  const late = new Promise<never>((_, reject) => {
    stop.addEventListener("abort", () => reject(new Error("no answer in time")), { once: true });
  });
  const found = await Promise.race([lookup(name, { family: 6, all: true }), late]).catch(() => []);
  return found.some(({ address }) => address.toLowerCase().startsWith(tunnelPrefix));
}

/** The ssh port behind that name; undefined where it does not answer. */
export function dialCoderConnect(name: string, signal: AbortSignal): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const stop = AbortSignal.any([signal, AbortSignal.timeout(connectMs)]);
    const socket = connect({ host: name, port: 22, family: 6, noDelay: true, allowHalfOpen: true });
    const fail = (): void => {
      socket.destroy();
      resolve(undefined);
    };
    stop.addEventListener("abort", fail, { once: true });
    socket.once("error", fail);
    socket.once("connect", () => {
      stop.removeEventListener("abort", fail);
      socket.off("error", fail);
      resolve(socket);
    });
  });
}
