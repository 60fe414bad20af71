/**
 * `npm run vectors -- parameters FILE…`: recorded renderings of templates against ours. Texts for people are compared
 * by presence, place and severity. Cases with `stock_limit` are not counted where ours differs. What a template import
 * would answer (`check_tags`, `check_presets`) belongs to coderd's vectors.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { realClock } from "#quartz/clock.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { type PreviewOwner, render } from "#preview/dynamic/render.ts";
import type { VectorResult } from "../vectors.ts";

interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly owner: Partial<PreviewOwner>;
  readonly values: Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly plan?: unknown;
  readonly stock_limit?: string;
  readonly output: Readonly<Record<string, unknown>>;
}

const nobody: PreviewOwner = {
  id: "",
  name: "",
  full_name: "",
  email: "",
  ssh_public_key: "",
  groups: [],
  login_type: "",
  rbac_roles: [],
};

/** A diagnostic counts as its severity and code. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  if ("severity" in value && "summary" in value) {
    const { severity, extra }: { severity: unknown; extra?: unknown } = value;
    return { severity, code: Object(extra).code ?? "" };
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, comparable(item)]));
}

async function renderCase(one: Case): Promise<unknown> {
  const dir = await mkdtemp(join(tmpdir(), "coder-vectors-"));
  try {
    for (const [name, text] of Object.entries(one.files)) {
      await mkdir(dirname(join(dir, name)), { recursive: true });
      await writeFile(join(dir, name), text);
    }
    return render({
      dir,
      clock: realClock,
      rand: cryptoRand,
      owner: {
        ...nobody,
        ...one.owner,
        groups: one.owner.groups ?? [],
        rbac_roles: one.owner.rbac_roles ?? [],
      },
      values: one.values,
      ...(one.variables ? { variables: one.variables } : {}),
      ...(one.plan === undefined ? {} : { plan: one.plan }),
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

export async function run(files: readonly string[]): Promise<VectorResult> {
  const failures: string[] = [];
  let of = 0;
  for (const file of files.filter((name) => !name.startsWith("-"))) {
    const { cases }: { cases: readonly Case[] } = JSON.parse(await readFile(file, "utf8"));
    for (const one of cases) {
      const { check_tags: _tags, check_presets: _presets, ...output } = one.output;
      const expected = Object(comparable(output));
      const actual = Object(comparable(await renderCase(one)));
      const parts = Object.keys(expected).filter((key) => !isDeepStrictEqual(actual[key], expected[key]));
      if (parts.length > 0 && one.stock_limit !== undefined) continue;
      of += 1;
      if (parts.length === 0) continue;
      const [part = ""] = parts;
      failures.push(
        `${one.name}: ${parts.join(", ")}\n  expected ${JSON.stringify(expected[part])}\n  ours     ${JSON.stringify(actual[part])}`,
      );
    }
  }
  return { equal: of - failures.length, of, notYet: 0, failures };
}
