/** Runs the steps in order against one server and says, for each, what differed. */
import type { Endpoint } from "#codersdk/endpoint.ts";
import { compareHeaders, compareJson, type Mode } from "./compare.ts";
import { type Got, send, sendSocket } from "./send.ts";
import type { Answer, Frame, Step, SweepAnswer } from "./steps.ts";
import type { Target } from "./target.ts";
import { Values } from "./values.ts";

export type Outcome =
  | { readonly kind: "equal" | "notYet" | "uncounted" }
  | { readonly kind: "different"; readonly why: readonly string[] };

const uncounted: Outcome = { kind: "uncounted" };

export class Replay {
  readonly #target: Target;
  readonly #values: Values;
  readonly #tokens = new Map<string, string>([["garbage", "zzzzzzzzzz-zzzzzzzzzzzzzzzzzzzzzz"]]);
  readonly #known: (path: string) => boolean;
  #last: Got | undefined;

  constructor(target: Target, recorded: readonly string[]) {
    this.#target = target;
    this.#values = new Values({ url: target.url, idp: target.idp.url });
    this.#known = knownPaths(target.endpoints, recorded);
  }

  async run(step: Step): Promise<Outcome> {
    if (step.pause_ms !== undefined) await sleep(step.pause_ms);
    if (step.idp !== undefined) this.#target.idp.become(step.idp);
    if (step.wait !== undefined) await this.#wait(step.wait);
    if (step.actor !== undefined && step.token !== undefined) {
      this.#tokens.set(step.actor, this.#values.fill(step.token));
    }
    if (step.actor !== undefined && step.from !== undefined) this.#takeCookie(step.actor);
    if (step.req === undefined || step.res === undefined || step.skip !== undefined) return uncounted;
    const known = this.#known(this.#values.fill(step.req.path));
    if (step.as === undefined) return known ? this.#sweep(step) : { kind: "notYet" };
    if (!isAnswer(step.res)) return uncounted;
    const why = await this.#case(step, step.res);
    if (step.setup) return uncounted;
    if (why.length === 0) return { kind: "equal" };
    return known ? { kind: "different", why } : { kind: "notYet" };
  }

  async #case(step: Step, want: Answer): Promise<string[]> {
    const { req } = step;
    if (req === undefined) return [];
    if (step.follow) await this.#follow();
    const token = this.#tokens.get(step.as ?? "anon");
    const frames = want.frames ?? [];
    const got = req.websocket
      ? await sendSocket(this.#target.url, req, token, this.#values, {
          frames,
          closes: want.close !== undefined,
        })
      : await send(this.#target.url, req, token, this.#values);
    this.#last = got;
    if (step.actor !== undefined) this.#takeToken(step.actor, got);
    return this.#compare(want, got, step.compare ?? "exact");
  }

  #compare(want: Answer, got: Got, mode: Mode): string[] {
    if (want.status !== got.status) {
      return [`status: expected ${want.status}, here ${got.status}: ${preview(got)}`];
    }
    if (mode === "status") return [];
    const why = compareHeaders(want.headers ?? {}, got.headers, this.#values);
    why.push(...this.#compareBody(want.body, got, mode));
    const ours = got.frames;
    const theirs = (want.frames ?? []).filter((frame) => frame.dir !== "c");
    theirs.forEach((frame, at) => why.push(...this.#compareFrame(frame, ours[at], mode, `frame ${at}`)));
    if (want.close !== undefined && want.close.code !== got.close?.code) {
      why.push(`close: expected ${want.close.code}, here ${got.close?.code}`);
    }
    return why;
  }

  #compareBody(want: unknown, got: Got, mode: Mode): string[] {
    const text = got.body.toString();
    if (want === "{any}") return [];
    if (want === undefined) return text === "" ? [] : [`body: none expected, here ${preview(got)}`];
    if (typeof want === "object" && want !== null) {
      if ("text" in want && Object.keys(want).length === 1) return text === "" ? ["body: text expected"] : [];
      if ("text_bytes" in want) return text === "" ? ["body: text expected"] : [];
      if ("base64" in want && typeof want.base64 === "string") {
        return got.body.toString("base64") === want.base64 ? [] : ["body: other bytes"];
      }
      if ("bytes" in want) return got.body.length === want.bytes ? [] : [`body: ${got.body.length} bytes`];
    }
    try {
      return compareJson(want, JSON.parse(text), mode, this.#values);
    } catch {
      return [`body: JSON expected, here ${preview(got)}`];
    }
  }

  #compareFrame(want: Frame, got: Got["frames"][number] | undefined, mode: Mode, path: string): string[] {
    if (got === undefined) return [`${path}: missing`];
    if ((want.binary === true || want.base64 !== undefined) !== got.binary) {
      return [`${path}: other frame kind`];
    }
    if (want.base64 === "{any}") return [];
    if (want.base64 !== undefined) {
      return got.data.toString("base64") === want.base64 ? [] : [`${path}: other bytes`];
    }
    if (want.json === undefined) return [];
    try {
      return compareJson(want.json, JSON.parse(got.data.toString()), mode, this.#values, path);
    } catch {
      return [`${path}: JSON expected`];
    }
  }

  async #sweep(step: Step): Promise<Outcome> {
    const { req, res } = step;
    if (req === undefined || res === undefined || isAnswer(res)) return uncounted;
    const why: string[] = [];
    const body = req.method === "GET" || req.body !== undefined ? {} : { body: { text: "{" } };
    for (const [actor, want] of Object.entries(res)) {
      const got = await send(this.#target.url, { ...req, ...body }, this.#tokens.get(actor), this.#values);
      why.push(...compareSweep(want, got).map((line) => `${actor}: ${line}`));
    }
    return why.length === 0 ? { kind: "equal" } : { kind: "different", why };
  }

  async #wait(wait: NonNullable<Step["wait"]>): Promise<void> {
    const end = Date.now() + 30_000;
    const request = { method: "GET", path: wait.path };
    while (this.#known(this.#values.fill(wait.path)) && Date.now() < end) {
      const got = await send(this.#target.url, request, this.#tokens.get(wait.as), this.#values);
      if (got.status === 404) return;
      if (got.status === 200 && wait.in.includes(field(JSON.parse(got.body.toString()), wait.until))) return;
      await sleep(100);
    }
  }

  /** Asks the provider where the answer before sent the browser. */
  async #follow(): Promise<void> {
    const location = this.#last?.headers.get("location") ?? "";
    if (!location.startsWith(this.#target.idp.url)) return;
    const response = await fetch(location, { redirect: "manual" });
    const back = new URL(response.headers.get("location") ?? this.#target.url);
    this.#values.remember("code", back.searchParams.get("code") ?? "");
    this.#values.remember("state", back.searchParams.get("state") ?? "");
  }

  #takeToken(actor: string, got: Got): void {
    try {
      const body: unknown = JSON.parse(got.body.toString());
      const token = field(body, "session_token");
      if (typeof token === "string") this.#tokens.set(actor, token);
    } catch {
      // A failed login has no token; the comparison says so.
    }
  }

  #takeCookie(actor: string): void {
    for (const cookie of this.#last?.headers.getSetCookie() ?? []) {
      const match = /^coder_session_token=([^;]+)/.exec(cookie);
      if (match?.[1] !== undefined) this.#tokens.set(actor, match[1]);
    }
  }
}

const fixed = new Set([
  "You are signed out or your session has expired. Please sign in again to continue.",
  "Resource not found or you do not have access to this resource",
  "Validation failed.",
  "Route not found.",
]);

function compareSweep(want: SweepAnswer, got: Got): string[] {
  if (want.status !== got.status) return [`status: expected ${want.status}, here ${got.status}`];
  const why: string[] = [];
  const type = got.headers.get("content-type") ?? undefined;
  if (want.ct !== type) why.push(`content-type: expected ${want.ct}, here ${type}`);
  if (want.message !== undefined && type?.startsWith("application/json")) {
    const message = field(JSON.parse(got.body.toString()), "message");
    if (fixed.has(want.message) ? message !== want.message : typeof message !== "string" || message === "") {
      why.push(`message: expected ${want.message}, here ${String(message)}`);
    }
  }
  return why;
}

const isAnswer = (res: NonNullable<Step["res"]>): res is Answer => typeof res["status"] === "number";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const preview = (got: Got): string => got.body.subarray(0, 160).toString();

function field(value: unknown, path: string): unknown {
  let at = value;
  for (const name of path.split(".")) {
    at = typeof at === "object" && at !== null ? Reflect.get(at, name) : undefined;
  }
  return at;
}

/** Whether the server has the path, whatever the method. */
function knownPaths(endpoints: readonly Endpoint[], recorded: readonly string[]): (path: string) => boolean {
  const ours = new Set(endpoints.map(({ path }) => pattern(path)));
  const forms = Array.from(new Set([...ours, ...recorded.map(pattern)]))
    .map((source) => ({ source, form: new RegExp(`^${source}/?$`) }))
    // The route with the fewest parameters is the one that a router takes.
    .toSorted((a, b) => a.source.split("[^/]+").length - b.source.split("[^/]+").length);
  return (path) => {
    const bare = (path.split("?")[0] ?? "").replaceAll(/\/{2,}/g, "/");
    const match = forms.find(({ form, source }) => !source.endsWith(".*") && form.test(bare));
    const found = match ?? forms.find(({ form }) => form.test(bare));
    return found !== undefined && ours.has(found.source);
  };
}

function pattern(path: string): string {
  const parts = path.replace(/(?<=.)\/$/, "").split(/(\{[^}]+\}|\*$)/);
  return parts
    .map((part) =>
      part === "*" || part.endsWith("...}")
        ? ".*"
        : part.startsWith("{")
          ? "[^/]+"
          : part.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&"),
    )
    .join("");
}
