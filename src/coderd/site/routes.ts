/**
 * Serves the dashboard's files: for a year, because their names hold the hash of their contents; compressed when they were
 * built. The page that loads them is in index-page.ts.
 */
import { endpoint } from "#codersdk/endpoint.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { noBody, rawReply } from "../httpapi/reply.ts";
import { chooseEncoding, noneMatch, type Site } from "./site.ts";

export interface SiteDeps {
  /** Undefined: this server has no dashboard. */
  readonly site: Site | undefined;
}

const siteAsset = endpoint({
  method: "GET",
  path: "/assets/{path...}",
  auth: "none",
  rate: "none",
  head: true,
  responses: { 200: { raw: "text/javascript; charset=utf-8" }, 304: null },
  summary: "A file of the dashboard",
});

export function routes({ site }: SiteDeps): BoundRoute[] {
  return [
    bind(siteAsset, async (_ctx, req) => {
      const asset = await site?.asset(`assets/${req.params.path}`);
      if (asset === undefined) {
        return rawReply(404, "This server has no such file.\n", {
          headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
        });
      }
      const encoding = chooseEncoding(req.headers["accept-encoding"]?.toString());
      const etag = asset.etags[encoding];
      const headers = {
        "content-type": asset.type,
        "cache-control": "public, max-age=31536000, immutable",
        etag,
        vary: "Accept-Encoding",
        ...(encoding === "identity" ? {} : { "content-encoding": encoding }),
      };
      if (noneMatch(req.headers["if-none-match"], etag)) return noBody(304, { headers });
      return rawReply(200, asset.bytes[encoding], { headers });
    }),
  ];
}
