import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodePtyInit,
  encodePtyInit,
  encodePtyRequest,
  PtyRequestReader,
  type PtyInit,
} from "./pty-protocol.ts";

const init: PtyInit = {
  id: "685c8e8e-bd42-4629-9221-ee00965e75d6",
  height: 24,
  width: 80,
  command: "bash",
  container: "",
  containerUser: "",
  backendType: "",
};

test("the first message survives any split", () => {
  const bytes = Buffer.concat([encodePtyInit(init), Buffer.from("{}")]);
  for (let at = 0; at < bytes.length - 2; at++) assert.equal(decodePtyInit(bytes.subarray(0, at)), undefined);
  assert.deepEqual(decodePtyInit(bytes), { init, length: bytes.length - 2 });
  assert.throws(() => encodePtyInit({ ...init, command: "x".repeat(70_000) }), /too long/);
});

test("sizes that no terminal has count as not given", () => {
  const decoded = decodePtyInit(encodePtyInit({ ...init, height: -1, width: 1e9 }));
  assert.deepEqual([decoded?.init.height, decoded?.init.width], [0, 0]);
});

test("requests are cut at object borders, byte by byte, braces in strings included", () => {
  const requests = [
    { data: 'a"}{\\', height: 0, width: 0 },
    { data: "é\u0003", height: 30, width: 100 },
    { data: "", height: 1, width: 0 },
  ];
  const bytes = Buffer.concat(requests.map(encodePtyRequest));
  const reader = new PtyRequestReader();
  assert.deepEqual(
    [...bytes].flatMap((byte) => [...reader.push(Buffer.of(byte))]),
    requests,
  );
  assert.deepEqual([...new PtyRequestReader().push(bytes)], requests);
});

test("anything but objects is refused, and so is an endless one", () => {
  for (const text of ["[1]", "x", "}"]) {
    assert.throws(() => [...new PtyRequestReader().push(Buffer.from(text))], /JSON object/);
  }
  assert.throws(
    () => [...new PtyRequestReader().push(Buffer.from(`{"data":"${"x".repeat(2 << 20)}`))],
    /too long/,
  );
});
