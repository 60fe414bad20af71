/** The contract as OpenAPI 3.1: schemas once by name, operations from the list of endpoints. Pure. */
import { allEndpoints, type NamedEndpoint } from "./contract.ts";
import { type Endpoint, isRaw, paramNames, type QueryKind } from "./endpoint.ts";
import { Response } from "./response.ts";
import { metaOf, shapeOf } from "./wire-shape.ts";
import type { Schema } from "./wire.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

const errorRef: JsonObject = { $ref: "#/components/schemas/Response" };

const queryTypes = {
  string: { type: "string" },
  bool: { type: "boolean" },
  optionalBool: { type: "boolean" },
  present: { type: "string", description: "set by being there, whatever its value" },
  int: { type: "integer", minimum: 0, maximum: 2_147_483_647 },
  int64: { type: "integer", format: "int64" },
  uuid: { type: "string", format: "uuid" },
  uuids: { type: "array", items: { type: "string", format: "uuid" } },
  strings: { type: "array", items: { type: "string" } },
  time: { type: "string", format: "date-time" },
  durationMs: { type: "string", description: "Go duration, such as 24h" },
} satisfies Readonly<Record<QueryKind, JsonObject>>;

/** Definitions that were met on the way, by name. */
type Definitions = Map<string, JsonObject>;

const orNull = (inner: JsonObject): JsonObject => ({ anyOf: [inner, { type: "null" }] });

function schemaOf(schema: Schema, known: Definitions): JsonObject {
  const shape = shapeOf(schema);
  switch (shape.kind) {
    case "string":
      return { type: "string" };
    case "uuid":
      return { type: "string", format: "uuid" };
    case "time":
      return { type: "string", format: "date-time" };
    case "bytes":
      return { type: "string", contentEncoding: "base64" };
    case "bool":
      return { type: "boolean" };
    case "int":
      return { type: "integer" };
    case "durationNs":
      return { type: "integer", description: "nanoseconds" };
    case "float":
      return { type: "number" };
    case "enum":
      return { type: "string", enum: shape.values };
    case "list":
      return { type: "array", items: schemaOf(shape.item, known) };
    case "nullList":
      return orNull({ type: "array", items: schemaOf(shape.item, known) });
    case "map":
      return { type: "object", additionalProperties: schemaOf(shape.item, known) };
    case "nullable":
      return orNull(schemaOf(shape.inner, known));
    case "omit":
    case "ptr":
      return schemaOf(shape.inner, known);
    case "json":
      return {};
    case "lazy":
      return schemaOf(shape.get(), known);
    case "struct":
      if (!known.has(shape.name)) {
        known.set(shape.name, {});
        known.set(shape.name, structOf(shape.fields, known));
      }
      return { $ref: `#/components/schemas/${shape.name}` };
  }
}

function structOf(fields: Readonly<Record<string, Schema>>, known: Definitions): JsonObject {
  const properties: Record<string, Json> = {};
  const always: string[] = [];
  for (const [name, field] of Object.entries(fields)) {
    const { tags, absence } = metaOf(field);
    const inner = schemaOf(field, known);
    properties[name] = tags === undefined ? inner : { ...inner, "x-validate": tags };
    if (absence === undefined) always.push(name);
  }
  return { type: "object", properties, ...(always.length > 0 ? { required: always } : {}) };
}

function parametersOf(endpoint: Endpoint): JsonObject[] {
  const path = paramNames(endpoint.path).map((name) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string", ...(endpoint.uuidParams?.includes(name) ? { format: "uuid" } : {}) },
  }));
  const query = Object.entries(endpoint.query ?? {}).map(([name, kind]) => ({
    name,
    in: "query",
    required: false,
    schema: queryTypes[kind],
  }));
  return [...path, ...query];
}

function responsesOf(endpoint: Endpoint, known: Definitions): JsonObject {
  const responses: Record<string, Json> = {};
  for (const [status, schema] of Object.entries(endpoint.responses)) {
    responses[status] = {
      description: endpoint.summary,
      ...(schema === null
        ? {}
        : isRaw(schema)
          ? { content: { [schema.raw]: {} } }
          : { content: { "application/json": { schema: schemaOf(schema, known) } } }),
    };
  }
  responses["default"] = { description: "Error", content: { "application/json": { schema: errorRef } } };
  return responses;
}

function operationOf({ id, endpoint }: NamedEndpoint, known: Definitions): JsonObject {
  const parameters = parametersOf(endpoint);
  const { body } = endpoint;
  return {
    operationId: id,
    tags: [id.split(".")[0] ?? id],
    summary: endpoint.summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            content:
              body === "raw"
                ? { "application/octet-stream": {} }
                : { "application/json": { schema: schemaOf(body, known) } },
          },
        }),
    responses: responsesOf(endpoint, known),
    ...(endpoint.auth === "none" ? { security: [] } : {}),
    "x-auth": endpoint.auth,
    ...(endpoint.stream === undefined ? {} : { "x-stream": endpoint.stream }),
  };
}

export function openApi(version: string): JsonObject {
  const known: Definitions = new Map();
  const paths: Record<string, Record<string, Json>> = {};
  for (const named of allEndpoints()) {
    const path = named.endpoint.path.replace("...}", "}");
    paths[path] = { ...paths[path], [named.endpoint.method.toLowerCase()]: operationOf(named, known) };
  }
  schemaOf(Response, known);
  const sorted = Array.from(known).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    openapi: "3.1.0",
    info: { title: "coder", version },
    security: [{ session: [] }],
    paths,
    components: {
      securitySchemes: { session: { type: "apiKey", in: "header", name: "Coder-Session-Token" } },
      schemas: Object.fromEntries(sorted),
    },
  };
}
