/** Contract → docs/reference/api: OpenAPI, and a page per domain. */
import { version } from "#buildinfo/buildinfo.ts";
import { allEndpoints, type NamedEndpoint } from "#codersdk/contract.ts";
import { type Endpoint, isRaw } from "#codersdk/endpoint.ts";
import { openApi } from "#codersdk/openapi.ts";
import { shapeOf } from "#codersdk/wire-shape.ts";
import type { Schema } from "#codersdk/wire.ts";
import { emit, type GenOptions } from "./generated.ts";

export async function genApi(options: GenOptions): Promise<string[]> {
  const files = new Map<string, string>();
  const domains = new Map<string, NamedEndpoint[]>();
  for (const named of allEndpoints()) {
    const domain = named.id.split(".")[0] ?? named.id;
    domains.set(domain, [...(domains.get(domain) ?? []), named]);
  }
  files.set("docs/reference/api/openapi.json", `${JSON.stringify(openApi(version), null, 1)}\n`);
  files.set("docs/reference/api/README.md", index(domains));
  for (const [domain, endpoints] of domains) {
    files.set(`docs/reference/api/${domain}.md`, page(domain, endpoints));
  }
  return emit(files, options);
}

function index(domains: ReadonlyMap<string, readonly NamedEndpoint[]>): string {
  const rows = Array.from(
    domains,
    ([domain, list]) => `- [${domain}](${domain}.md): ${list.length} endpoints`,
  );
  return (
    [
      "# API reference",
      "Generated from the contract (`src/codersdk`). The same as OpenAPI 3.1: [openapi.json](openapi.json).",
      "Send the session token as `Coder-Session-Token`. Errors are `{message, detail?, validations?}`.",
      rows.join("\n"),
    ].join("\n\n") + "\n"
  );
}

function page(domain: string, endpoints: readonly NamedEndpoint[]): string {
  return `# ${domain}\n\n${endpoints.map(section).join("\n\n")}\n`;
}

function section({ endpoint }: NamedEndpoint): string {
  const query = Object.entries(endpoint.query ?? {}).map(([name, kind]) => `\`${name}\` (${kind})`);
  return [
    `## \`${endpoint.method} ${endpoint.path}\``,
    `${endpoint.summary}.`,
    [
      `- Caller: ${endpoint.auth}`,
      ...(query.length > 0 ? [`- Query: ${query.join(", ")}`] : []),
      ...(endpoint.body === undefined
        ? []
        : [`- Body: ${endpoint.body === "raw" ? "bytes" : describe(endpoint.body)}`]),
      ...responses(endpoint),
      ...(endpoint.stream === undefined ? [] : [`- Streams: ${endpoint.stream.join(", ")}`]),
      ...(endpoint.audit === undefined ? [] : [`- Audit: ${endpoint.audit}`]),
    ].join("\n"),
  ].join("\n\n");
}

function responses(endpoint: Endpoint): string[] {
  return Object.entries(endpoint.responses).map(([status, schema]) => {
    const what = schema === null ? "no body" : isRaw(schema) ? schema.raw : describe(schema);
    return `- ${status}: ${what}`;
  });
}

/** One line: the name of a struct with its fields, or the form of what is no struct. */
function describe(schema: Schema): string {
  const shape = shapeOf(schema);
  switch (shape.kind) {
    case "struct":
      return `${shape.name} \`{${Object.keys(shape.fields).join(", ")}}\``;
    case "list":
    case "nullList":
      return `list of ${describe(shape.item)}`;
    case "map":
      return `map of ${describe(shape.item)}`;
    case "nullable":
    case "omit":
    case "ptr":
      return describe(shape.inner);
    case "lazy":
      return describe(shape.get());
    default:
      return shape.kind;
  }
}
