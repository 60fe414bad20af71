import assert from "node:assert/strict";
import { connect, createServer, type Server } from "node:net";
import { describe, it, test } from "node:test";
import { eventually, freePort } from "#testutil/testutil.ts";
import { liveWorkspace } from "../clitest/live.ts";
import { parseForwards } from "./spec.ts";

describe("parseForwards()", () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    "8080": ["*:8080 8080"],
    "8080:80": ["*:8080 80"],
    "1.2.3.4:8080": ["1.2.3.4:8080 8080"],
    "1.2.3.4:8080:80": ["1.2.3.4:8080 80"],
    "[::1]:8080": ["::1:8080 8080"],
    "[fe80::1]:8080:80": ["fe80::1:8080 80"],
    "8000-8002": ["*:8000 8000", "*:8001 8001", "*:8002 8002"],
    "8000-8001:9000-9001": ["*:8000 9000", "*:8001 9001"],
    "0.0.0.0:8000-8001:9000-9001": ["0.0.0.0:8000 9000", "0.0.0.0:8001 9001"],
  };
  for (const [spec, want] of Object.entries(cases)) {
    it(spec, () =>
      assert.deepEqual(
        parseForwards([spec]).map((one) => `${one.host ?? "*"}:${one.localPort} ${one.remotePort}`),
        want,
      ),
    );
  }
  for (const spec of [
    "",
    "0",
    "65536",
    "a",
    "8080:",
    ":80",
    "80-70",
    "80-82:90-91",
    "1.2.3:80",
    "[::1:80",
    "::1:80",
    "[x]:80",
    "1:2:3",
    "-1",
  ]) {
    it(`refuses ${JSON.stringify(spec)}`, () => assert.throws(() => parseForwards([spec]), /cannot forward/));
  }
  it("refuses a port given twice", () => {
    assert.throws(() => parseForwards(["80", "70-80"]), /given twice/);
    assert.equal(parseForwards(["80", "1.1.1.1:80"]).length, 2);
  });
});

/** Answers what it got, in capitals, once the other side has ended. */
function capitals(): Promise<{ server: Server; port: number }> {
  return new Promise((resolve) => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      let text = "";
      socket.setEncoding("utf8").on("data", (part: string) => (text += part));
      socket.on("end", () => socket.end(text.toUpperCase()));
      socket.on("error", () => {});
    }).listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve({ server, port: typeof address === "object" && address ? address.port : 0 });
    });
  });
}

function ask(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => socket.end(text));
    socket.setEncoding("utf8").on("data", (part: string) => (answer += part));
    socket.on("error", reject).on("close", () => resolve(answer));
  });
}

test("port-forward: carries both directions and half closes, survives a refused port, ends on a signal", async (t) => {
  const ws = await liveWorkspace(t);
  const { server, port } = await capitals();
  t.after(() => server.close());
  const [local, dead, nobody] = await Promise.all([freePort(), freePort(), freePort()]);
  const stop = new AbortController();
  const run = ws.start(["port-forward", ws.name, "--tcp", `${local}:${port},127.0.0.1:${dead}:${nobody}`], {
    signal: stop.signal,
  });
  await eventually("ready", () => run.stderr().includes("Ready!\n") || undefined);
  assert.match(
    run.stderr(),
    new RegExp(
      `Forwarding 'tcp://127.0.0.1:${local}' locally to 'tcp://127.0.0.1:${port}' in the workspace\n`,
    ),
  );
  const long = "x".repeat(200_000);
  const answers = await Promise.all(["hello", long, "again"].map((text) => ask(local, text)));
  assert.deepEqual(
    answers.map((one) => one.length),
    [5, 200_000, 5],
  );
  assert.equal(answers[0], "HELLO");
  assert.equal(await ask(dead, "x").catch(() => ""), "");
  assert.equal(await ask(local, "still"), "STILL");
  stop.abort(new DOMException("SIGINT", "AbortError"));
  const { status, stdout, stderr } = await run.result;
  assert.deepEqual([status, stdout], [0, ""]);
  assert.match(stderr, /closing all listeners/);
  await assert.rejects(ask(local, "gone"), /ECONNREFUSED/);
});

test("port-forward: nothing asked, port in use", async (t) => {
  const ws = await liveWorkspace(t);
  const none = await ws.run(["port-forward", ws.name]);
  assert.deepEqual([none.status, /no port-forwards requested/.test(none.stderr)], [1, true]);
  const { server, port } = await capitals();
  t.after(() => server.close());
  const used = await ws.run(["tunnel", ws.name, "-p", `127.0.0.1:${port}:80`]);
  assert.deepEqual([used.status, /cannot listen on port/.test(used.stderr)], [1, true]);
});
