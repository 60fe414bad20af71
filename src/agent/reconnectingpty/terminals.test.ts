import assert from "node:assert/strict";
import { duplexPair, type Duplex } from "node:stream";
import { test, type TestContext } from "node:test";
import { encodePtyInit, encodePtyRequest } from "#codersdk/workspacesdk/pty-protocol.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { eventually } from "#testutil/testutil.ts";
import { Terminals } from "./terminals.ts";

function start(t: TestContext): {
  readonly terminals: Terminals;
  readonly open: (id: string, command?: string) => Viewer;
} {
  const terminals = new Terminals({
    clock: realClock,
    log: discardLogger,
    command: ({ text, extra }) => ({
      file: "/bin/sh",
      args: text === "" ? [] : ["-c", text],
      env: { PATH: "/usr/bin:/bin", PS1: "> ", ...extra },
      cwd: "/",
    }),
  });
  t.after(() => terminals[Symbol.asyncDispose]());
  return {
    terminals,
    open(id, command = "") {
      const [ours, theirs] = duplexPair();
      t.after(() => ours.destroy());
      terminals.serve(theirs, "fd7a::1");
      const viewer = { stream: ours, shown: "", ended: false };
      ours.on("data", (bytes: Buffer) => (viewer.shown += bytes.toString()));
      ours.once("end", () => (viewer.ended = true));
      const none = { container: "", containerUser: "", backendType: "" };
      const init = encodePtyInit({ id, command, width: 80, height: 24, ...none });
      // In two pieces, as TCP may cut it.
      ours.write(init.subarray(0, 5));
      ours.write(init.subarray(5));
      return viewer;
    },
  };
}

interface Viewer {
  readonly stream: Duplex;
  shown: string;
  ended: boolean;
}

test("a session outlives its connection and shows what it missed; several viewers see the same", async (t) => {
  const { terminals, open } = start(t);
  const id = cryptoRand.uuid();
  const first = open(id);
  first.stream.write(encodePtyRequest({ data: "echo on''e; stty size\r" }));
  await eventually("the first answer", () => first.shown.includes("one\r\n24 80"));
  first.stream.destroy();
  const second = open(id);
  await eventually("the replay", () => second.shown.includes("one\r\n24 80"));
  const third = open(id);
  await eventually("the replay for the third", () => third.shown.includes("one\r\n24 80"));
  second.stream.write(encodePtyRequest({ width: 100, height: 30 }));
  second.stream.write(encodePtyRequest({ data: "stty size; exit\r" }));
  await eventually(
    "the new size, for both",
    () => second.shown.includes("30 100") && third.shown.includes("30 100"),
  );
  await eventually("both end with the process", () => second.ended && third.ended);
  await eventually("the session is forgotten", () => terminals.size === 0);
});

test("a command, and sessions that are refused", async (t) => {
  const { terminals, open } = start(t);
  const command = open(cryptoRand.uuid(), "echo $TERM");
  await eventually("its output and end", () => command.ended && command.shown === "xterm-256color\r\n");
  const bad = open("no-uuid");
  await eventually("closed", () => bad.stream.destroyed || bad.ended);
  const [ours, theirs] = duplexPair();
  terminals.serve(theirs, "x");
  ours.resume();
  ours.end(Buffer.from([2, 0, 0x5b, 0x5d]));
  await eventually("closed too", () => theirs.destroyed);
  assert.equal(terminals.size, 0);
});
