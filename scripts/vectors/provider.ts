/**
 * `npm run vectors -- provider FILE…`: what the provider says to recorded configurations, through a real Terraform
 * with our provider attached, and through the built-in engine. Diagnostics are compared by severity, address, line and
 * whether there is a detail; their wording is ours. Without Terraform on PATH the built-in engine alone is asked; cases
 * that it cannot be given (broken variables in the environment) then count as not yet.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { parameterVariable } from "#provisioner/coderprovider/data/parameter.ts";
import { nativeEngine } from "#provisioner/native/engine.ts";
import { runBuild } from "#provisioner/native/nativetest/session.ts";
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

/** The parameter variables that a job can carry; undefined where a case has others, which no job has. */
function jobParameters(env: Readonly<Record<string, string>>): Record<string, string> | undefined {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    // All recorded cases name their parameter p.
    if (name !== parameterVariable("p")) return undefined;
    out["p"] = value;
  }
  return out;
}

/**
 * The same by the built-in engine; undefined for a case that it cannot be given. Terraform names no address while it
 * reads a block; that ours does is no difference.
 */
export async function runCaseNative(
  one: ProviderCase,
): Promise<{ readonly exit: number; readonly diagnostics: readonly string[] } | undefined> {
  const parameters = jobParameters(one.env);
  if (!parameters) return undefined;
  const dir = await mkdtemp(join(tmpdir(), "coder-vectors-"));
  try {
    const files = { "main.tf": one.main, "providers.tf": providers };
    const engine = nativeEngine({ rand: cryptoRand, os: "linux", arch: "amd64" });
    const { error, logs } = await runBuild(engine, dir, { files, parameters, planOnly: !one.apply });
    const diagnostics = loggedDiagnostics(logs.map(({ output }) => output)).map((found) => {
      const withoutAddress = found.replace(/^(\w+) .*:/, "$1 :");
      return !one.diagnostics.includes(found) && one.diagnostics.includes(withoutAddress)
        ? withoutAddress
        : found;
    });
    return { exit: error === "" ? 0 : 1, diagnostics: diagnostics.sort() };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A headline, its place with a line of source, and perhaps a blank line and a detail. */
function loggedDiagnostics(lines: readonly string[]): string[] {
  const found = new Map<string, string>();
  for (const [i, line] of lines.entries()) {
    const severity = /^(Error|Warning): /.exec(line)?.[1]?.toLowerCase();
    if (severity === undefined) continue;
    const [place = "", , blank, detail = ""] = lines.slice(i + 1, i + 5);
    const [, number = "", address = ""] = /^on \S+ line (\d+)(?:, in (.*))?:$/.exec(place) ?? [];
    const hasDetail = blank === "" && detail !== "";
    found.set(`${line}${place}${detail}`, `${severity} ${address}:${number}${hasDetail ? " detail" : ""}`);
  }
  return [...found.values()].sort();
}

export async function run(args: readonly string[]): Promise<VectorResult> {
  const cases = (await Promise.all(args.map(readCases))).flat();
  const terraform = await findTerraform({ setting: "", path: process.env["PATH"] ?? "" }).catch(
    () => undefined,
  );
  const failures: string[] = [];
  let notYet = 0;
  for (const one of cases) {
    const expected = { exit: one.exit, diagnostics: one.diagnostics };
    const native = await runCaseNative(one);
    const answers = { terraform: terraform && (await runCase(terraform, one)), native };
    const differ = Object.entries(answers).filter(
      ([, actual]) => actual !== undefined && !isDeepStrictEqual(actual, expected),
    );
    if (!answers.terraform && !native) notYet += 1;
    for (const [engine, actual] of differ.slice(0, 1)) {
      failures.push(
        `${one.name}, ${engine}: got ${JSON.stringify(actual)}, recorded ${JSON.stringify(expected)}`,
      );
    }
  }
  const of = cases.length - notYet;
  return { equal: of - failures.length, of, notYet, failures };
}
