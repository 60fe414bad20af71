/** `/bin/`, `/install.sh` and the init scripts: how machines get the program. No route asks who is calling. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { version } from "#buildinfo/buildinfo.ts";
import { deployment } from "#codersdk/deployment.ts";
import { endpoint } from "#codersdk/endpoint.ts";
import { agentScript } from "#provisionersdk/agent-scripts.ts";
import { Invalid } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { noBody, rawReply, reply, type RawReply } from "../httpapi/reply.ts";
import { answer, codingOf } from "./answer.ts";
import type { Binaries, Binary } from "./binaries.ts";
import { installScript } from "./install-script.ts";

export interface BinDeps {
  readonly binaries: Binaries;
  readonly accessUrl: () => string;
}

const plain = "text/plain; charset=utf-8";

const file = endpoint({
  method: "GET",
  path: "/bin/{name...}",
  auth: "none",
  rate: "none",
  head: true,
  responses: { 200: { raw: "application/octet-stream" } },
  summary: "The program for a platform, such as coder-linux-amd64",
});

const list = endpoint({
  method: "GET",
  path: "/bin",
  auth: "none",
  rate: "none",
  head: true,
  responses: { 200: { raw: plain } },
  summary: "The names of these programs",
});

const install = endpoint({
  method: "GET",
  path: "/install.sh",
  auth: "none",
  rate: "none",
  head: true,
  responses: { 200: { raw: plain } },
  summary: "A script that installs the command line from this server",
});

export function routes({ binaries, accessUrl }: BinDeps): BoundRoute[] {
  return [
    bind(file, async (ctx, req) => {
      // Older scripts write windows_amd64.
      const name = req.params.name.replaceAll("_", "-");
      const found = await binaries.find(name, ctx.signal);
      switch (found.kind) {
        case "file":
          return send(binaries, found.binary, req.headers);
        case "later":
          return text(503, `${found.reason}\n`, { "retry-after": "30" });
        case "absent":
          return text(
            404,
            `This server has no ${JSON.stringify(name.slice(0, 100))}. Its administrator can put the file into the folder site/orig/bin of its cache.\n`,
          );
      }
    }),
    bind(list, async () => text(200, (await binaries.list()).map((one) => `${one}\n`).join(""))),
    bind(install, () => text(200, installScript({ origin: accessUrl(), version }))),
    bind(deployment.initScript, (_ctx, req) => {
      const { os, arch } = req.params;
      const address = `${accessUrl().replace(/\/+$/, "")}/`;
      const script = agentScript({ os, arch, accessUrl: address, authType: "token" });
      if (script === undefined) throw new Invalid(`Unknown os/arch: ${os}/${arch}`);
      return reply(200, Buffer.from(script), { headers: { "content-digest": digestOf(script) } });
    }),
  ];
}

/** Odd, and what clients compare: the hex of the base64 text of the hash. */
function digestOf(script: string): string {
  const base64 = createHash("sha256").update(script).digest("base64");
  return `sha256:${Buffer.from(base64).toString("hex")}`;
}

const text = (status: number, body: string, headers: Record<string, string> = {}): RawReply =>
  rawReply(status, body, { headers: { "content-type": plain, "cache-control": "no-store", ...headers } });

async function send(
  binaries: Binaries,
  binary: Binary,
  headers: Parameters<typeof answer>[1],
): Promise<RawReply> {
  let coding = codingOf(headers["accept-encoding"]?.toString());
  let path: string | undefined = binary.path;
  let result = answer(binary, headers, coding);
  if ("coding" in result && result.coding !== "identity") {
    path = await binaries.encoded(binary, result.coding);
    if (path === undefined) {
      coding = "identity";
      path = binary.path;
      result = answer(binary, headers, coding);
    }
  }
  if (!("coding" in result)) return noBody(result.status, { headers: result.headers });
  // The client may be gone before the first byte; then the stream is destroyed with the answer.
  return rawReply(result.status, createReadStream(path, { ...result.range, highWaterMark: 1 << 18 }), {
    headers: result.headers,
  });
}
