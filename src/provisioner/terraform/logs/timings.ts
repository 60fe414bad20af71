/** How long each piece of a Terraform command took, from its `-json` lines. */
import { create } from "@bufbuild/protobuf";
import { TimestampSchema, type Timestamp } from "@bufbuild/protobuf/wkt";
import { TimingSchema, TimingState, type Timing } from "#rpc/gen/provisionersdk_pb.js";
import type { Json } from "./diagnostic.ts";
import { textOf } from "./diagnostic.ts";
import { isRecord } from "../convert/json.ts";

export type Stage = "init" | "plan" | "graph" | "apply";

/** Microseconds since 1970, UTC. */
type Micros = bigint;

interface Mark {
  readonly at: Micros;
  readonly category: string;
  readonly kind: "start" | "complete" | "errored";
  readonly action: string;
  readonly resource: string;
  readonly source: string;
}

const categories = new Map([
  ["apply", "apply"],
  ["provision", "provision"],
  ["refresh", "state refresh"],
]);

const typePattern = /^(apply|provision|refresh)_(start|complete|errored)$/;

/** The steps of an init, in order. A step ends when the next one is reported. */
const initSteps: readonly { readonly resource: string; readonly codes: readonly string[] }[] = [
  { resource: "backend", codes: ["initializing_backend_message", "initializing_state_store_message"] },
  { resource: "modules", codes: ["initializing_modules_message", "upgrading_modules_message"] },
  { resource: "provider plugins", codes: ["initializing_provider_plugin_message"] },
  { resource: "", codes: ["output_init_success_message", "output_init_success_cloud_message"] },
];

const timePattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})(Z|[+-]\d\d:\d\d)$/;

function micros(text: string, arrival: Date): Micros {
  const match = timePattern.exec(text);
  const seconds = match ? Date.parse(`${match[1]}${match[3]}`) : Number.NaN;
  if (!match || Number.isNaN(seconds)) return BigInt(arrival.getTime()) * 1000n;
  return BigInt(seconds) * 1000n + BigInt(match[2] ?? "0");
}

function timestamp(at: Micros): Timestamp {
  const seconds = at / 1_000_000n;
  return create(TimestampSchema, { seconds, nanos: Number(at - seconds * 1_000_000n) * 1000 });
}

function kindOf(text: string): Mark["kind"] {
  return text === "start" ? "start" : text === "errored" ? "errored" : "complete";
}

function readMark(line: Json, arrival: Date): Mark | undefined {
  const type = typePattern.exec(textOf(line, "type"));
  const hook = line["hook"];
  if (!type || !isRecord(hook)) return undefined;
  const [, category = "", kind = ""] = type;
  if (category === "refresh" && kind === "errored") return undefined;
  const resource = isRecord(hook["resource"]) ? hook["resource"] : {};
  return {
    at: micros(textOf(line, "@timestamp"), arrival),
    category,
    kind: kindOf(kind),
    action: textOf(hook, "action") || (categories.get(category) ?? ""),
    resource: textOf(resource, "addr"),
    source: textOf(resource, "implied_provider"),
  };
}

/** Takes the parsed lines of one command as they come; `spans` pairs them when it is over. */
export class TimingCollector {
  readonly #stage: Stage;
  readonly #marks = new Map<string, Mark>();
  readonly #steps = new Map<number, Micros>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** `arrival` stands in for a timestamp that has another form than Terraform's usual one. */
  add(line: Json, arrival: Date): void {
    if (textOf(line, "type") === "init_output") {
      const step = initSteps.findIndex(({ codes }) => codes.includes(textOf(line, "message_code")));
      if (step >= 0) this.#steps.set(step, micros(textOf(line, "@timestamp"), arrival));
      return;
    }
    const mark = readMark(line, arrival);
    // Of equal lines the last one counts.
    if (mark) this.#marks.set(`${keyOf(mark)}\0${mark.kind}`, mark);
  }

  spans(): Timing[] {
    return [...this.#initSpans(), ...this.#resourceSpans()];
  }

  #initSpans(): Timing[] {
    return initSteps.flatMap(({ resource }, i) => {
      const start = this.#steps.get(i);
      const end = this.#steps.get(i + 1);
      if (start === undefined || end === undefined) return [];
      return [this.#span({ action: "load", resource, source: "" }, start, end, TimingState.COMPLETED)];
    });
  }

  #resourceSpans(): Timing[] {
    return [...this.#marks.values()].flatMap((mark) => {
      if (mark.kind === "start") return [];
      const start = this.#marks.get(`${keyOf(mark)}\0start`);
      if (!start) return [];
      const state = mark.kind === "errored" ? TimingState.FAILED : TimingState.COMPLETED;
      return [this.#span(mark, start.at, mark.at, state)];
    });
  }

  #span(
    of: Pick<Mark, "action" | "resource" | "source">,
    start: Micros,
    end: Micros,
    state: TimingState,
  ): Timing {
    return create(TimingSchema, {
      start: timestamp(start),
      end: timestamp(end < start ? start : end),
      action: of.action,
      source: of.source,
      resource: of.resource,
      stage: this.#stage,
      state,
    });
  }
}

function keyOf(mark: Mark): string {
  return [mark.category, mark.action, mark.resource, mark.source].join("\0");
}

/** The span that encloses a whole stage. */
export function stageTiming(stage: Stage, start: Date, end: Date, failed: boolean): Timing {
  const from = BigInt(start.getTime()) * 1000n;
  const to = BigInt(end.getTime()) * 1000n;
  return create(TimingSchema, {
    start: timestamp(from),
    end: timestamp(to < from ? from : to),
    action: "terraform",
    source: "coder",
    resource: `coder_stage_${stage}`,
    stage,
    state: failed ? TimingState.FAILED : TimingState.COMPLETED,
  });
}
