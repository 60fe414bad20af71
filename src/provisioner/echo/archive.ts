/** Builds template archives for the echo engine (echo.ts). For tests. */
import { create, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { packTar } from "modern-tar";
import {
  type ApplyCompleteSchema,
  type GraphCompleteSchema,
  type InitCompleteSchema,
  LogLevel,
  type ParseCompleteSchema,
  type PlanCompleteSchema,
  ResponseSchema,
  type RichParameter,
  GraphCompleteSchema as Graph,
} from "#rpc/gen/provisionersdk_pb.js";

/** An answer, an error text, or "hang": no answer until the job is cancelled. Log lines come first. */
export type Script<T> = T | { readonly logs?: readonly string[]; readonly answer: T | "hang" };

export interface EchoTemplate {
  readonly parse?: Script<MessageInitShape<typeof ParseCompleteSchema>>;
  readonly init?: Script<MessageInitShape<typeof InitCompleteSchema>>;
  readonly plan?: Script<MessageInitShape<typeof PlanCompleteSchema>>;
  readonly apply?: Script<MessageInitShape<typeof ApplyCompleteSchema>>;
  readonly graph?: Script<MessageInitShape<typeof GraphCompleteSchema>>;
  /** Answers of one transition only: they go before those above. */
  readonly start?: Pick<EchoTemplate, "plan" | "apply" | "graph">;
  readonly stop?: Pick<EchoTemplate, "plan" | "apply" | "graph">;
  readonly destroy?: Pick<EchoTemplate, "plan" | "apply" | "graph">;
  /** More files of the archive: path → content. */
  readonly files?: Readonly<Record<string, string>>;
}

type Message = NonNullable<MessageInitShape<typeof ResponseSchema>["type"]>;

/** The tar. What is not given answers empty, so that every job succeeds; the plan's cost is that of the graph. */
export async function echoArchive(template: EchoTemplate = {}): Promise<Buffer> {
  const graph = answerOf(template.graph);
  const resources = create(Graph, graph === "hang" ? {} : graph).resources;
  const dailyCost = resources.reduce((sum, resource) => sum + resource.dailyCost, 0);
  const plan = template.plan ?? { plan: Buffer.from("{}"), dailyCost };
  const files = new Map<string, Uint8Array>();
  script(files, "parse", template.parse, (value) => ({ case: "parse", value }));
  script(files, "init", template.init, (value) => ({ case: "init", value }));
  steps(files, "", { plan, apply: template.apply ?? {}, graph: template.graph ?? {} });
  for (const transition of ["start", "stop", "destroy"] as const) {
    steps(files, `${transition}.`, template[transition] ?? {});
  }
  files.set(
    "main.tf",
    Buffer.from(graph === "hang" ? "" : parametersAsTerraform(create(Graph, graph).parameters)),
  );
  for (const [path, content] of Object.entries(template.files ?? {})) files.set(path, Buffer.from(content));
  const entries = [...files].map(([name, body]) => ({
    header: { name, size: body.length, mode: 0o644, type: "file" as const, mtime: new Date(0) },
    body,
  }));
  return Buffer.from(await packTar(entries));
}

function steps(
  files: Map<string, Uint8Array>,
  prefix: string,
  scripts: Pick<EchoTemplate, "plan" | "apply" | "graph">,
): void {
  const { plan, apply, graph } = scripts;
  if (plan) script(files, `${prefix}plan`, plan, (value) => ({ case: "plan", value }));
  if (apply) script(files, `${prefix}apply`, apply, (value) => ({ case: "apply", value }));
  if (graph) script(files, `${prefix}graph`, graph, (value) => ({ case: "graph", value }));
}

function script<T extends object>(
  files: Map<string, Uint8Array>,
  name: string,
  given: Script<T> | undefined,
  wrap: (value: T | Record<string, never>) => Message,
): void {
  const logs = given && "logs" in given ? (given.logs ?? []) : [];
  const answer = answerOf(given);
  const messages: Message[] = logs.map((output) => ({
    case: "log",
    value: { level: LogLevel.INFO, output },
  }));
  if (answer !== "hang") messages.push(wrap(answer));
  // A script without any message would be a missing one.
  if (messages.length === 0) messages.push({ case: "log", value: { level: LogLevel.TRACE, output: "" } });
  messages.forEach((type, n) =>
    files.set(`${n}.${name}.protobuf`, toBinary(ResponseSchema, create(ResponseSchema, { type }))),
  );
}

function answerOf<T extends object>(given: Script<T> | undefined): T | "hang" | Record<string, never> {
  if (!given) return {};
  return "answer" in given ? given.answer : given;
}

/** So that dynamic parameters, which read the template's text, see the parameters of the graph. */
function parametersAsTerraform(parameters: readonly RichParameter[]): string {
  return parameters
    .map((parameter, n) => {
      const lines = [
        `name = ${JSON.stringify(parameter.name)}`,
        `type = ${JSON.stringify(parameter.type || "string")}`,
      ];
      lines.push(`mutable = ${parameter.mutable}`, `ephemeral = ${parameter.ephemeral}`);
      if (!parameter.required) lines.push(`default = ${JSON.stringify(parameter.defaultValue)}`);
      lines.push(...validationLines(parameter));
      return `data "coder_parameter" "p${n}" {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;
    })
    .join("\n");
}

function validationLines(parameter: RichParameter): string[] {
  const lines = [];
  const { validationMin: min, validationMax: max, validationMonotonic: monotonic } = parameter;
  if (min !== undefined) lines.push(`min = ${min}`);
  if (max !== undefined) lines.push(`max = ${max}`);
  if (monotonic !== "") lines.push(`monotonic = ${JSON.stringify(monotonic)}`);
  if (parameter.validationRegex !== "") {
    lines.push(
      `regex = ${JSON.stringify(parameter.validationRegex)}`,
      `error = ${JSON.stringify(parameter.validationError)}`,
    );
  }
  return lines.length === 0 ? [] : ["validation {", ...lines, "}"];
}
