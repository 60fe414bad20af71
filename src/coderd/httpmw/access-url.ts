/** Option *redirect to access URL*: people who come by another name are sent to the one that certificates and cookies fit. */
import type { IncomingHttpHeaders } from "node:http";

/** Probes and relays come by any name. */
const exempt = /^\/+(?:healthz|derp)(?:\/|$)/;

/** Where to send the request, or undefined. Pure. `secure`: it came over TLS. */
export function accessUrlRedirect(
  accessUrl: string,
  request: { readonly headers: IncomingHttpHeaders; readonly url: string; readonly secure: boolean },
): string | undefined {
  const { headers, url, secure } = request;
  if (exempt.test(url)) return undefined;
  const wanted = new URL(accessUrl);
  const forwarded = headers["x-forwarded-host"];
  const hosts = [headers.host, typeof forwarded === "string" ? forwarded : undefined];
  const sameHost = hosts.some((host) => host?.toLowerCase() === wanted.host);
  const forwardedProto = headers["x-forwarded-proto"];
  const sameScheme = wanted.protocol !== "https:" || secure || forwardedProto === "https";
  return sameHost && sameScheme ? undefined : wanted.origin;
}
