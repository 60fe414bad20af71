/** The plain half of the relay's routes; its connections are upgrades and never get here (httpapi/server.ts). */
import { derp } from "#codersdk/derp.ts";
import { upgradeRequired } from "#net/derp/http.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { TextError } from "../httpapi/error-response.ts";
import { rawReply } from "../httpapi/reply.ts";

export function routes(): BoundRoute[] {
  return [
    bind(derp.connect, () => {
      throw new TextError(426, "UpgradeRequired", upgradeRequired);
    }),
    bind(derp.latencyCheck, () => rawReply(200, new Uint8Array(0))),
  ];
}
