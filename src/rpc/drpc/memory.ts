/** DRPC inside one process: each call gets a pair of connected streams, without yamux. For built-in daemons and tests. */
import { duplexPair, type Duplex } from "node:stream";
import { serveDrpc, type DrpcRouter } from "./server.ts";

/** What `drpcClient` takes; calls are served by `router`. */
export function memoryStreams(router: DrpcRouter): () => Duplex {
  return () => {
    const [ours, theirs] = duplexPair();
    void serveDrpc(theirs, router);
    return ours;
  };
}
