/**
 * `npm run vectors -- provider FILE…`: what the provider says to recorded configurations, through a real Terraform
 * with our provider attached. Diagnostics are compared by severity, address, line and whether there is a detail; their
 * wording is ours. Without Terraform on PATH all cases count as not yet.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { runCommand } from "#provisioner/terraform/command.ts";
import { isRecord } from "#provisioner/terraform/convert/json.ts";
import { findTerraform } from "#provisioner/terraform/locate.ts";
import { parseJsonLine } from "#provisioner/terraform/logs/log-lines.ts";
import { serveProvider } from "#provisioner/terraform/plugin/reattach.ts";
import type { VectorResult } from "../vectors.ts";

type Json = Readonly<Record<string, unknown>>;

export interface ProviderCase {
  readonly name: string;
  readonly main: string;
  readonly env: Readonly<Record<string, string>>;
  readonly apply: boolean;
  readonly exit: number;
  /** `error coder_agent.a:2 detail`, sorted. */
  readonly diagnostics: readonly string[];
}

function text(from: Json, name: string): string {
  const value = from[name];
  return typeof value === "string" ? value : "";
}

function described(diagnostic: Json, line: unknown): string {
  const detail = text(diagnostic, "detail") === "" ? "" : " detail";
  return `${text(diagnostic, "severity")} ${text(diagnostic, "address")}:${typeof line === "number" ? line : ""}${detail}`;
}

export async function readCases(file: string): Promise<ProviderCase[]> {
  const json: unknown = JSON.parse(await readFile(file, "utf8"));
  const cases = isRecord(json) && Array.isArray(json["cases"]) ? json["cases"].filter(isRecord) : [];
  return cases.map((item) => {
    const env = isRecord(item["env"]) ? item["env"] : {};
    const diagnostics = Array.isArray(item["diagnostics"]) ? item["diagnostics"].filter(isRecord) : [];
    return {
      name: text(item, "name"),
      main: text(item, "main.tf"),
      env: Object.fromEntries(Object.keys(env).map((name) => [name, text(env, name)])),
      apply: item["step"] === "apply",
      exit: typeof item["exit"] === "number" ? item["exit"] : 0,
      diagnostics: diagnostics.map((diagnostic) => described(diagnostic, diagnostic["line"])).sort(),
    };
  });
}

/** Beside the case's own file, so that its lines count as written. */
const providers = `terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
`;

function lineOf(diagnostic: Json): unknown {
  const range = diagnostic["range"];
  const start = isRecord(range) ? range["start"] : undefined;
  return isRecord(start) ? start["line"] : undefined;
}

/** Exit status and diagnostics of a plan, or of an apply, of one configuration. */
export async function runCase(
  terraform: string,
  { main, env, apply }: ProviderCase,
): Promise<{ readonly exit: number; readonly diagnostics: readonly string[] }> {
  const dir = await mkdtemp(join(tmpdir(), "coder-vectors-"));
  try {
    await writeFile(join(dir, "main.tf"), main);
    await writeFile(join(dir, "providers.tf"), providers);
    const variables = { CODER_AGENT_URL: "https://coder.example.test", ...env };
    await using provider = await serveProvider({
      env: variables,
      rand: cryptoRand,
      os: "linux",
      arch: "amd64",
    });
    // Terraform validates more than once and repeats its warnings; the recording has each once.
    const found = new Map<string, string>();
    const { signal } = new AbortController();
    const step = apply ? ["apply", "-auto-approve"] : ["plan"];
    const { ok } = await runCommand({
      argv: provider.wrap([terraform, ...step, "-json", "-input=false"]),
      cwd: dir,
      env: { PATH: process.env["PATH"] ?? "", CHECKPOINT_DISABLE: "1" },
      clock: realClock,
      canceled: signal,
      killed: signal,
      onStdout(line) {
        const diagnostic = parseJsonLine(line)?.["diagnostic"];
        if (isRecord(diagnostic)) {
          found.set(JSON.stringify(diagnostic), described(diagnostic, lineOf(diagnostic)));
        }
      },
      onStderr() {},
    });
    return { exit: ok ? 0 : 1, diagnostics: [...found.values()].sort() };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

export async function run(args: readonly string[]): Promise<VectorResult> {
  const cases = (await Promise.all(args.map(readCases))).flat();
  const terraform = await findTerraform({ setting: "", path: process.env["PATH"] ?? "" }).catch(
    () => undefined,
  );
  if (terraform === undefined) return { equal: 0, of: 0, notYet: cases.length, failures: [] };
  const failures: string[] = [];
  for (const one of cases) {
    const actual = await runCase(terraform, one);
    const expected = { exit: one.exit, diagnostics: one.diagnostics };
    if (isDeepStrictEqual(actual, expected)) continue;
    failures.push(`${one.name}: got ${JSON.stringify(actual)}, recorded ${JSON.stringify(expected)}`);
  }
  return { equal: cases.length - failures.length, of: cases.length, notYet: 0, failures };
}
