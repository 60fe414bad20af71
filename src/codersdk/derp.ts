/** The relay inside the server (spec network §11). */
import { endpoint } from "./endpoint.ts";

const text = { raw: "text/plain; charset=utf-8" } as const;

export const derp = {
  /** Connections come by HTTP upgrade, before routing; what gets here is none. */
  connect: endpoint({
    method: "GET",
    path: "/derp",
    auth: "none",
    rate: "none",
    responses: { 200: text },
    summary: "Relay of encrypted packets, by HTTP upgrade or WebSocket",
  }),
  latencyCheck: endpoint({
    method: "GET",
    path: "/derp/latency-check",
    auth: "none",
    rate: "none",
    responses: { 200: text },
    summary: "Target of latency measurements by peers",
  }),
};
