/** The `local` provider's files. A file that changed or went is made anew. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile, chmod } from "node:fs/promises";
import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import * as t from "#preview/cty/type.ts";
import * as v from "#preview/cty/value.ts";
import type { Value } from "#preview/cty/value.ts";
import type { Attribute } from "../schema.ts";
import { same } from "../values.ts";
import { computed, fields, optional, required, withDefault } from "./define.ts";
import type { DataType, ManagedType, NativeType, Path, TypeProblem } from "./native-type.ts";

const provider = "registry.terraform.io/hashicorp/local";
/** A state holds what a file holds; larger ones belong elsewhere. */
const maxBytes = 16 * 1024 * 1024;

const digests: Readonly<Record<string, Attribute>> = Object.fromEntries(
  ["base64sha256", "base64sha512", "md5", "sha1", "sha256", "sha512"].map((name) => [
    `content_${name}`,
    computed(t.string),
  ]),
);

/** Digests of a file's bytes; the SHA-1 is also its id. */
function digestsOf(bytes: Buffer): Readonly<Record<string, Value>> {
  const hash = (algorithm: string, encoding: "hex" | "base64"): Value =>
    v.str(createHash(algorithm).update(bytes).digest(encoding));
  return {
    id: hash("sha1", "hex"),
    content_base64sha256: hash("sha256", "base64"),
    content_base64sha512: hash("sha512", "base64"),
    content_md5: hash("md5", "hex"),
    content_sha1: hash("sha1", "hex"),
    content_sha256: hash("sha256", "hex"),
    content_sha512: hash("sha512", "hex"),
  };
}

const sources = ["content", "sensitive_content", "content_base64", "source"] as const;

interface FileKind {
  readonly type: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly permission: string;
}

function fileType({ type, attributes: more, permission }: FileKind): ManagedType {
  const attributes: Readonly<Record<string, Attribute>> = {
    id: computed(t.string),
    filename: required(t.string),
    content_base64: optional(t.string),
    source: optional(t.string),
    file_permission: withDefault(t.string),
    directory_permission: withDefault(t.string),
    ...digests,
    ...more,
  };
  const decided = Object.keys(attributes).filter(
    (name) => attributes[name]?.required || attributes[name]?.optional,
  );
  const fill = (config: Value): Value =>
    v.object(
      [...v.entries(config)].map(([name, item]) => {
        if (item.content !== null || !attributes[name]?.computed) return [name, item] as const;
        return [name, name.endsWith("_permission") ? v.str(permission) : v.unknownOf(t.string)] as const;
      }),
    );
  return {
    mode: "managed",
    type,
    provider,
    version: 0,
    schema: { attributes, blocks: {} },
    validate(config) {
      const given = v.entries(config);
      const set = sources.filter((name) => {
        const item = given.get(name);
        return item && item.content !== null;
      });
      const out: TypeProblem[] = [];
      if (set.length !== 1) {
        const detail = `exactly one of ${sources.filter((name) => attributes[name]).join(", ")} must be given: received ${set.join(", ") || "none"}`;
        out.push({ severity: "error", summary: "Invalid attribute combination", detail });
      }
      for (const name of ["file_permission", "directory_permission"]) {
        const mode = given.get(name)?.content;
        if (typeof mode !== "string" || /^[0-7]{3,4}$/.test(mode)) continue;
        const detail = `${name} must be octal digits such as 0644: received ${JSON.stringify(mode.slice(0, 40))}`;
        out.push({ severity: "error", summary: "Invalid file mode", detail, path: [name] });
      }
      return out;
    },
    plan(config, prior) {
      const fresh = fill(config);
      if (!prior) return { planned: fresh, replace: [], problems: [] };
      const before = v.entries(prior);
      const replace: Path[] = decided
        .filter((name) => !same(v.entries(fresh).get(name) ?? v.nullOf(), before.get(name) ?? v.nullOf()))
        .map((name) => [name]);
      return { planned: replace.length > 0 ? fresh : prior, replace, problems: [] };
    },
    async create(planned, { base }) {
      const field = fields(planned);
      const path = resolve(base, field.text("filename"));
      let bytes: Buffer;
      if (field.given("source")) bytes = await readFile(resolve(base, field.text("source")));
      else if (field.given("content_base64")) bytes = Buffer.from(field.text("content_base64"), "base64");
      else bytes = Buffer.from(field.text("sensitive_content") || field.text("content"));
      const mode = (name: string): number => Number.parseInt(field.text(name), 8);
      await mkdir(dirname(path), { recursive: true, mode: mode("directory_permission") });
      await writeFile(path, bytes, { mode: mode("file_permission") });
      await chmod(path, mode("file_permission"));
      return { state: v.object([...v.entries(planned), ...Object.entries(digestsOf(bytes))]), problems: [] };
    },
    async read(state, { base }) {
      const field = fields(state);
      const bytes = await readFile(resolve(base, field.text("filename"))).catch(() => undefined);
      const intact = bytes && createHash("sha1").update(bytes).digest("hex") === field.text("id");
      return intact ? state : undefined;
    },
    async destroy(state, { base }) {
      await rm(resolve(base, fields(state).text("filename")), { force: true });
    },
  };
}

function fileData(type: string, secret: boolean): DataType {
  const content: Attribute = secret ? { ...computed(t.string), sensitive: true } : computed(t.string);
  return {
    mode: "data",
    type,
    provider,
    version: 0,
    schema: {
      attributes: {
        id: computed(t.string),
        filename: required(t.string),
        content,
        content_base64: content,
        ...digests,
      },
      blocks: {},
    },
    read(config, { base }) {
      const path = resolve(base, fields(config).text("filename"));
      try {
        const { size } = statSync(path);
        if (size > maxBytes) throw new Error(`it has ${size} bytes, more than ${maxBytes}`);
        const bytes = readFileSync(path);
        const state = v.object([
          ...v.entries(config),
          ...Object.entries(digestsOf(bytes)),
          ["content", v.str(bytes.toString("utf8"))] as const,
          ["content_base64", v.str(bytes.toString("base64"))] as const,
        ]);
        return { state, problems: [] };
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error);
        const problem = {
          severity: "error",
          summary: "Cannot read the file",
          detail,
          path: ["filename"],
        } as const;
        return { state: config, problems: [problem] };
      }
    },
  };
}

const sensitive: Attribute = { type: t.string, optional: true, sensitive: true };

export const localTypes: readonly NativeType[] = [
  fileType({
    type: "local_file",
    attributes: { content: optional(t.string), sensitive_content: sensitive },
    permission: "0777",
  }),
  fileType({
    type: "local_sensitive_file",
    attributes: { content: sensitive, content_base64: sensitive },
    permission: "0700",
  }),
  fileData("local_file", false),
  fileData("local_sensitive_file", true),
];
