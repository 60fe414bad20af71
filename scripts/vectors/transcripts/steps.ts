/** The recorded files: steps of all areas in one list, in their order. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type BodyForm =
  | { readonly text: string }
  | { readonly gzip_base64: string }
  | { readonly zeros: number };

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly websocket?: boolean;
  readonly body?: unknown;
}

export interface Frame {
  readonly dir?: "s" | "c";
  readonly json?: unknown;
  readonly text?: string;
  readonly binary?: boolean;
  readonly base64?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: unknown;
  readonly frames?: readonly Frame[];
  readonly close?: { readonly code: number; readonly reason?: string };
}

export interface SweepAnswer {
  readonly status: number;
  readonly message?: string;
  readonly ct?: string;
}

export interface Step {
  readonly n: number;
  readonly area: string;
  readonly case?: string;
  readonly as?: string;
  readonly req?: Request;
  readonly res?: Answer | Readonly<Record<string, SweepAnswer>>;
  readonly wait?: {
    readonly as: string;
    readonly path: string;
    readonly until: string;
    readonly in: readonly unknown[];
  };
  readonly pause_ms?: number;
  readonly idp?: Readonly<Record<string, unknown>>;
  readonly actor?: string;
  readonly token?: string;
  readonly from?: string;
  readonly setup?: boolean;
  readonly follow?: boolean;
  readonly compare?: "shape" | "status";
  readonly skip?: string;
}

interface File {
  readonly area?: string;
  readonly steps?: readonly Omit<Step, "area">[];
}

/** Files, or folders of them. */
export function readSteps(paths: readonly string[]): Step[] {
  const files = paths.flatMap((path) =>
    path.endsWith(".json")
      ? [path]
      : readdirSync(path)
          .filter((name) => name.endsWith(".json"))
          .map((name) => join(path, name)),
  );
  const steps = files.flatMap((path) => {
    const file: File = JSON.parse(readFileSync(path, "utf8"));
    const { area = "" } = file;
    return (file.steps ?? []).map((step) => ({ ...step, area }));
  });
  return steps.toSorted((a, b) => a.n - b.n);
}
