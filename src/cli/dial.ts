/** Opens the client's WebSockets under Node: headers go along, answers other than 101 become errors of the API. */
import { ClientError } from "#codersdk/client.ts";
import type { Dial } from "#codersdk/socket.ts";

/** Most bytes of one message: stock servers send at most 32 KiB of JSON, DERP maps can be larger. */
const maxPayload = 4 * 1024 * 1024;

export const nodeDial: Dial = async (url, { headers, signal }) => {
  const { WebSocket } = await import("ws");
  return await new Promise((resolve, reject) => {
    const target = new URL(url);
    target.protocol = target.protocol.replace("http", "ws");
    const socket = new WebSocket(target, {
      headers,
      maxPayload,
      perMessageDeflate: false,
      followRedirects: false,
    });
    const onAbort = (): void => {
      socket.terminate();
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.once("open", () => {
      signal?.removeEventListener("abort", onAbort);
      resolve(socket);
    });
    socket.once("unexpected-response", (request, response) => {
      response.resume();
      request.destroy();
      reject(
        new ClientError({
          status: response.statusCode ?? 0,
          method: "GET",
          url: target.href,
          message: `the server refused the stream with status ${response.statusCode}`,
          detail: undefined,
          validations: [],
          headers: new Headers(),
        }),
      );
    });
    socket.on("error", reject);
    if (signal?.aborted) onAbort();
  });
};
