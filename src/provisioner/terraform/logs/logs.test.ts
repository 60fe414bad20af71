import assert from "node:assert/strict";
import { test } from "node:test";
import { LogLevel, TimingState } from "#rpc/gen/provisionersdk_pb.js";
import { diagnosticLines } from "./diagnostic.ts";
import { stderrLines, stdoutLines } from "./log-lines.ts";
import { stageTiming, TimingCollector } from "./timings.ts";

test("values of a diagnostic stand under its source, by traversal", () => {
  const lines = diagnosticLines({
    severity: "error",
    detail: "No.\nReally.",
    range: { filename: "main.tf", start: { line: 4 } },
    snippet: {
      context: 'resource "a" "b"',
      code: "x = [\n  y",
      start_line: 4,
      values: [
        { traversal: "var.b", statement: "is 2" },
        { traversal: "var.a", statement: "is 1" },
      ],
    },
  });
  assert.deepEqual(lines, [
    'on main.tf line 4, in resource "a" "b":',
    "  4: x = [",
    "  5:   y",
    "    ├────────────────",
    "    │ var.a is 1",
    "    │ var.b is 2",
    "",
    "No.",
    "Really.",
  ]);
  assert.deepEqual(diagnosticLines({ detail: "only" }), ["only"]);
});

test("lines that are no JSON objects pass as they are, blank ones are dropped", () => {
  assert.deepEqual(stdoutLines("{broken"), [{ level: LogLevel.INFO, output: "{broken" }]);
  assert.deepEqual(stdoutLines('["a"]'), [{ level: LogLevel.INFO, output: '["a"]' }]);
  assert.deepEqual(stdoutLines("  \t"), []);
  assert.deepEqual(stderrLines("oops"), [{ level: LogLevel.ERROR, output: "oops" }]);
  const long = "x".repeat(1 << 20);
  assert.deepEqual(stdoutLines(long), [{ level: LogLevel.INFO, output: long }]);
});

const line = (type: string, at: string, action?: string): Record<string, unknown> => ({
  type,
  "@timestamp": at,
  hook: { resource: { addr: "a.b", implied_provider: "a" }, ...(action ? { action } : {}) },
});

test("timings pair start and end, the last of equal lines counts, times are UTC", () => {
  const timings = new TimingCollector("apply");
  const arrival = new Date(5000);
  timings.add(line("apply_complete", "2026-01-01T02:00:01.000002+02:00", "create"), arrival);
  timings.add(line("apply_start", "2026-01-01T00:00:00.000009Z", "create"), arrival);
  timings.add(line("apply_start", "2026-01-01T00:00:00.000001Z", "create"), arrival);
  timings.add(line("apply_errored", "not a time", "create"), arrival);
  timings.add(line("provision_start", "2026-01-01T00:00:00.000001Z"), arrival);
  timings.add(line("refresh_complete", "2026-01-01T00:00:00.000001Z"), arrival);
  const spans = timings
    .spans()
    .map(({ start, end, action, state }) => [
      start && start.seconds * 1_000_000n + BigInt(start.nanos / 1000),
      end && end.seconds * 1_000_000n + BigInt(end.nanos / 1000),
      action,
      state,
    ]);
  const base = BigInt(Date.UTC(2026, 0, 1)) * 1000n;
  assert.deepEqual(spans, [
    [base + 1n, base + 1_000_002n, "create", TimingState.COMPLETED],
    // It arrived before it began: no length.
    [base + 1n, base + 1n, "create", TimingState.FAILED],
  ]);
});

test("a stage's span never ends before it starts", () => {
  const { start, end } = stageTiming("plan", new Date(2000), new Date(1000), true);
  assert.deepEqual(start, end);
});
