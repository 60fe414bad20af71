import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { connect, type ClientHttp2Session } from "node:http2";
import { createConnection } from "node:net";
import { dirname } from "node:path";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { seededRand } from "#cryptorand/seeded.ts";
import {
  Configure_RequestSchema,
  GetProviderSchema_ResponseSchema,
  ReadDataSource_RequestSchema,
  ReadDataSource_ResponseSchema,
} from "#rpc/gen/tfplugin5_pb.js";
import { tempDir } from "#testutil/testutil.ts";
import { dataTypes, providerBlock } from "../../coderprovider/provider.ts";
import { serveProvider } from "./reattach.ts";
import { readValue, writeValue } from "./values.ts";

const context = { env: {}, rand: seededRand("grpc"), os: "linux", arch: "amd64" };

function socketOf(provider: Awaited<ReturnType<typeof serveProvider>>): string {
  const [, , , , , tail = ""] = provider.wrap(["x"]);
  return /"String":"([^"]+)"/.exec(tail)?.[1] ?? "";
}

function dial(socket: string): ClientHttp2Session {
  return connect("http://localhost", { createConnection: () => createConnection(socket) });
}

interface Reply {
  readonly status: string;
  readonly message: Buffer;
}

/** Sends bytes as they are and gives the status and the bytes after the header. */
async function exchange(client: ClientHttp2Session, path: string, body: Uint8Array): Promise<Reply> {
  const stream = client.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
  let status = "";
  stream.on("response", (headers) => (status = String(headers["grpc-status"] ?? status)));
  stream.on("trailers", (headers) => (status = String(headers["grpc-status"] ?? status)));
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.end(body);
  await once(stream, "close");
  return { status, message: Buffer.concat(chunks).subarray(5) };
}

function framed(message: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

const path = (method: string): string => `/tfplugin5.Provider/${method}`;

test("the provider answers over HTTP/2 on a socket of its own, which is gone afterwards", async (t) => {
  const provider = await serveProvider(context, { parent: await tempDir(t) });
  const socket = socketOf(provider);
  assert.equal(statSync(dirname(socket)).mode & 0o777, 0o700);
  const client = dial(socket);
  const schema = await exchange(client, path("GetSchema"), framed(new Uint8Array()));
  assert.equal(schema.status, "0");
  const decoded = fromBinary(GetProviderSchema_ResponseSchema, schema.message);
  assert.ok(decoded.resourceSchemas["coder_agent"]);
  assert.equal(decoded.resourceSchemas["coder_agent_instance"]?.version, 0n);
  client.destroy();
  await provider[Symbol.asyncDispose]();
  assert.ok(!existsSync(dirname(socket)));
});

test("what is configured belongs to the connection", async (t) => {
  await using provider = await serveProvider(context, { parent: await tempDir(t) });
  const block = dataTypes["coder_workspace"]?.block;
  assert.ok(block);
  const urls = await Promise.all(
    ["https://one.example", "https://two.example"].map(async (url) => {
      const client = dial(socketOf(provider));
      const config = writeValue(providerBlock, { url });
      const request = create(Configure_RequestSchema, { config });
      await exchange(client, path("Configure"), framed(toBinary(Configure_RequestSchema, request)));
      const read = create(ReadDataSource_RequestSchema, {
        typeName: "coder_workspace",
        config: writeValue(block, {}),
      });
      const body = framed(toBinary(ReadDataSource_RequestSchema, read));
      const { message } = await exchange(client, path("ReadDataSource"), body);
      client.destroy();
      return readValue(block, fromBinary(ReadDataSource_ResponseSchema, message).state)?.["access_url"];
    }),
  );
  assert.deepEqual(urls, ["https://one.example", "https://two.example"]);
});

test("malformed calls are refused, and the connection goes on", async (t) => {
  await using provider = await serveProvider(context, { parent: await tempDir(t) });
  const client = dial(socketOf(provider));
  const calls: readonly (readonly [path: string, body: Buffer, status: string])[] = [
    ["/plugin.GRPCBroker/StartStream", framed(Buffer.alloc(0)), "12"],
    [path("Nothing"), framed(Buffer.alloc(0)), "12"],
    [path("GetSchema"), Buffer.alloc(0), "13"],
    [path("GetSchema"), Buffer.from([1, 0, 0, 0, 0]), "12"],
    [path("GetSchema"), Buffer.from([0, 0, 0, 0, 9, 1]), "13"],
    [path("Configure"), framed(Buffer.from([0xff, 0xff, 0xff])), "13"],
    [path("ReadDataSource"), framed(Buffer.from([0x0a, 0x01, 0x78])), "13"],
    [path("GetMetadata"), framed(Buffer.alloc(0)), "0"],
  ];
  for (const [target, body, status] of calls) {
    assert.equal((await exchange(client, target, body)).status, status, target);
  }
  client.destroy();
});
