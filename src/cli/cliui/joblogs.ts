/**
 * A job's log as a person follows it: a line when a stage begins, its lines, a line with its length when it ends.
 * Pure: `jobLog` takes states and log lines and returns text; the caller polls, streams and writes.
 */
import { printable } from "./table.ts";

export interface JobState {
  readonly status: string;
  readonly created_at: Date;
  readonly started_at?: Date | undefined;
  readonly completed_at?: Date | undefined;
  readonly queue_position: number;
}

export interface JobLogLine {
  readonly created_at: Date;
  readonly log_level: string;
  readonly stage: string;
  readonly output: string;
}

export interface JobLogOptions {
  readonly verbose?: boolean;
  /** Colours, given as functions; none by default. */
  readonly paint?: (text: string, color: "red" | "yellow") => string;
}

export interface JobLog {
  /** The job as last seen. Returns text to write. */
  state(job: JobState): string;
  line(line: JobLogLine): string;
  /** The job ended. Returns the last stage's end. */
  end(job: JobState): string;
}

export function jobLog(options: JobLogOptions = {}): JobLog {
  const paint = options.paint ?? ((text: string) => text);
  let stage = "";
  let startedAt = 0;
  let shown: string | undefined;

  function begin(name: string, at: Date, note = ""): string {
    const text = `==> ⧗ ${printable(name)}${note}\n`;
    stage = name;
    startedAt = at.getTime();
    return text;
  }
  function finish(mark: "✔" | "✘", at: Date): string {
    if (stage === "") return "";
    const ms = Math.max(0, Math.round(at.getTime() - startedAt));
    const text = `=== ${mark} ${printable(stage)} [${ms}ms]\n`;
    stage = "";
    return mark === "✘" ? paint(text, "red") : text;
  }

  return {
    state(job) {
      const note =
        job.queue_position > 1
          ? ` (position: ${job.queue_position})`
          : job.queue_position === 1
            ? " (next)"
            : "";
      const key = job.started_at ? "running" : `queued${note}`;
      if (shown === key || shown === "running") return "";
      const first = shown === undefined;
      shown = key;
      if (!job.started_at) return begin("Queued", job.created_at, note);
      const queued = first ? begin("Queued", job.created_at) : "";
      return queued + finish("✔", job.started_at) + begin("Running", job.started_at);
    },
    line(line) {
      let text = "";
      if (line.stage !== stage) text += finish("✔", line.created_at) + begin(line.stage, line.created_at);
      else if (line.output === "") return "";
      if (line.output === "") return text;
      if (["trace", "debug"].includes(line.log_level) && !options.verbose) return text;
      const color = line.log_level === "error" ? "red" : line.log_level === "warn" ? "yellow" : undefined;
      const body = printable(line.output);
      return `${text}${line.created_at.toISOString().slice(11, 23)} ${color ? paint(body, color) : body}\n`;
    },
    end(job) {
      return finish(job.status === "succeeded" ? "✔" : "✘", job.completed_at ?? job.created_at);
    },
  };
}
