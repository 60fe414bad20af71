import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { realClock } from "#quartz/clock.ts";
import { ProvisionerDaemon } from "../gen/provisionerd_pb.js";
import { CallClosedError, DrpcError } from "./call.ts";
import { drpcClient } from "./client.ts";
import { memoryStreams } from "./memory.ts";
import { drpcRouter, serveDrpc, type Handlers } from "./server.ts";
import { encodePacket, packetKind } from "./wire.ts";

function connect(handlers: Handlers<typeof ProvisionerDaemon>) {
  return drpcClient(ProvisionerDaemon, memoryStreams(drpcRouter(ProvisionerDaemon, handlers)));
}

test("unary: the answer, or the error's text and code", async () => {
  const client = connect({
    updateJob: (request) => {
      if (request.jobId === "bad") throw new DrpcError("no such job", 42);
      if (request.jobId === "bug") throw new Error("plain");
      return { canceled: request.jobId === "stop" };
    },
  });
  assert.equal((await client.updateJob({ jobId: "stop" })).canceled, true);
  await assert.rejects(client.updateJob({ jobId: "bad" }), {
    name: "DrpcError",
    message: "no such job",
    code: 42n,
  });
  await assert.rejects(client.updateJob({ jobId: "bug" }), { name: "DrpcError", message: "plain", code: 0n });
});

test("a method without a handler is unimplemented, an unknown one is named", async () => {
  await assert.rejects(connect({}).updateJob({}), { message: "Unimplemented", code: 12n });
  const client = drpcClient(ProvisionerDaemon, memoryStreams(new Map()));
  await assert.rejects(client.updateJob({}), {
    message: 'protocol error: unknown rpc: "/provisionerd.ProvisionerDaemon/UpdateJob"',
    code: 0n,
  });
});

test("server-streaming: messages in order, then the end or the error", async () => {
  const client = connect({
    downloadFile: async (request, stream) => {
      for (let i = 0; i < 3; i++) {
        await stream.send({ type: { case: "error", value: { error: `${request.fileId}${i}` } } });
      }
      if (request.fileId === "bad") throw new DrpcError("broken", 7);
    },
  });
  const seen: unknown[] = [];
  for await (const part of client.downloadFile({ fileId: "f" })) seen.push(part.type.value);
  assert.equal(seen.length, 3);
  await assert.rejects(async () => {
    for await (const _ of client.downloadFile({ fileId: "bad" })) continue;
  }, /broken/);
});

test("client-streaming: the server reads all, then answers", async () => {
  let count = 0;
  const client = connect({
    uploadFile: async (stream) => {
      for await (const _ of stream) count++;
      return {};
    },
  });
  const upload = client.uploadFile();
  for (let i = 0; i < 100; i++) {
    await upload.send({ type: { case: "error", value: { error: "x".repeat(50_000) } } });
  }
  await upload.reply();
  assert.equal(count, 100);
});

test("bidirectional: a caller that closes is seen by the server", async () => {
  const over = Promise.withResolvers<boolean>();
  const client = connect({
    acquireJobWithCancel: async (stream) => {
      await stream.send({ jobId: "1" });
      over.resolve((await stream.receive()) === undefined && stream.signal.aborted);
    },
  });
  {
    await using acquire = client.acquireJobWithCancel();
    assert.equal((await acquire.receive())?.jobId, "1");
  }
  assert.equal(await over.promise, true);
});

test("cancelling a call aborts its handler", async () => {
  const aborted = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const client = connect({
    commitQuota: (_request, { signal }) => {
      signal.addEventListener("abort", () => aborted.resolve());
      started.resolve();
      return new Promise(() => {});
    },
  });
  const cancel = new AbortController();
  const call = client.commitQuota({}, { signal: cancel.signal });
  await started.promise;
  cancel.abort(new Error("enough"));
  await assert.rejects(call, /enough/);
  await aborted.promise;
});

test("metadata reaches the handler", async () => {
  const client = connect({ updateJob: (_request, { metadata }) => ({ canceled: metadata["a"] === "ü" }) });
  assert.equal((await client.updateJob({}, { metadata: { a: "ü" } })).canceled, true);
});

test("a message over 4 MiB is refused by the sender, one below passes", async () => {
  const client = connect({ failJob: () => ({}) });
  await client.failJob({ error: "x".repeat(4_190_000) });
  await assert.rejects(client.failJob({ error: "x".repeat(4_194_304) }), /message too big/);
});

test("a stream that ends before the answer is an error, not a hang", async () => {
  const client = drpcClient(ProvisionerDaemon, () => {
    const [ours, theirs] = duplexPair();
    theirs.resume().end();
    return ours;
  });
  await assert.rejects(client.updateJob({}), CallClosedError);
});

test("garbage ends the call without an answer", async () => {
  const [ours, theirs] = duplexPair();
  const served = serveDrpc(theirs, drpcRouter(ProvisionerDaemon, {}));
  ours.write(Buffer.from("05ffffffffffffffffffffff", "hex"));
  ours.resume();
  await served;
  assert.ok(theirs.destroyed);
});

test("a request that is not protobuf is an error for the caller", async () => {
  const [ours, theirs] = duplexPair();
  void serveDrpc(theirs, drpcRouter(ProvisionerDaemon, { updateJob: () => ({}) }));
  const send = (kind: number, message: bigint, data: Buffer) =>
    ours.write(encodePacket({ kind, control: false, stream: 1n, message, data }));
  send(packetKind.invoke, 1n, Buffer.from("/provisionerd.ProvisionerDaemon/UpdateJob"));
  send(packetKind.message, 2n, Buffer.from("ffffff", "hex"));
  const parts: Buffer[] = [];
  for await (const part of ours) parts.push(Buffer.from(part));
  assert.match(Buffer.concat(parts).toString(), /cannot decode provisionerd.UpdateJobRequest/);
});

test("an answered stream stays open until the caller ends it: Go callers take an early end for a cancel", async () => {
  const [ours, theirs] = duplexPair();
  const served = serveDrpc(theirs, drpcRouter(ProvisionerDaemon, { updateJob: () => ({}) }));
  const packet = (kind: number, message: bigint, data = Buffer.alloc(0)) =>
    encodePacket({ kind, control: false, stream: 1n, message, data });
  const invoke = Buffer.from("/provisionerd.ProvisionerDaemon/UpdateJob");
  ours.write(packet(packetKind.invoke, 1n, invoke));
  ours.write(packet(packetKind.message, 2n));
  await served;
  ours.resume();
  await realClock.sleep(0);
  assert.ok(!theirs.writableEnded);
  ours.end(packet(packetKind.closeSend, 3n));
  await new Promise((resolve) => ours.once("end", resolve));
  assert.ok(theirs.writableEnded);
});
