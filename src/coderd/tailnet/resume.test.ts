import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { drpcClient } from "#rpc/drpc/client.ts";
import { Tailnet } from "#rpc/gen/tailnet_pb.js";
import { dialWebSocket, HandshakeError } from "#rpc/wsconn/dial.ts";
import { wsDuplex } from "#rpc/wsconn/duplex.ts";
import { YamuxSession } from "#rpc/yamux/session.ts";
import { signResumeToken } from "#tailnet/resume.ts";
import { newServer, type TestServer } from "../coderdtest/coderdtest.ts";
import { newDb } from "../database/dbtestutil/dbtestutil.ts";
import { templateScene, workspaceScene } from "../database/dbfake/dbfake.ts";

async function dial(t: TestContext, where: { url: string; token: string; agentId: string }, resume: string) {
  const url = new URL(`/api/v2/workspaceagents/${where.agentId}/coordinate?version=2.0`, where.url);
  if (resume !== "") url.searchParams.set("resume_token", resume);
  const ws = await dialWebSocket(url, { headers: { "Coder-Session-Token": where.token }, signal: t.signal });
  const session = YamuxSession.start(wsDuplex(ws), { role: "client" });
  t.after(() => session.close());
  const { token } = await drpcClient(Tailnet, () => session.open()).refreshResumeToken({});
  const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  assert.ok(typeof claims === "object" && claims !== null && "sub" in claims);
  return { token, peerId: claims.sub };
}

async function refused(promise: Promise<unknown>): Promise<void> {
  await assert.rejects(
    promise,
    (error) =>
      error instanceof HandshakeError &&
      error.status === 401 &&
      /Invalid resume token.*"resume_token"/s.test(error.body),
  );
}

test("a client keeps its peer id over a restart of the server, and on another replica", async (t) => {
  const db = await newDb(t);
  const first = await newServer(t, { db });
  await first.createFirstUser();
  const member = await first.createAnotherUser();
  const scene = await workspaceScene(db.store, {
    scene: { ...(await templateScene(db.store)), owner: await db.store.getUserById({ id: member.id }) },
  });
  const to = (server: TestServer) => ({ url: server.url, token: member.token, agentId: scene.agent.id });
  const before = await dial(t, to(first), "");
  const replica = await newServer(t, { db });
  assert.equal((await dial(t, to(replica), before.token)).peerId, before.peerId);
  await first.coderd[Symbol.asyncDispose]();
  const restarted = await newServer(t, { db });
  assert.equal((await dial(t, to(restarted), before.token)).peerId, before.peerId);
  assert.notEqual((await dial(t, to(restarted), "")).peerId, before.peerId);
});

test("tokens of other keys, changed ones and ended ones are refused, so that the client drops them", async (t) => {
  const db = await newDb(t);
  const server = await newServer(t, { db });
  await server.createFirstUser();
  const member = await server.createAnotherUser();
  const scene = await workspaceScene(db.store, {
    scene: { ...(await templateScene(db.store)), owner: await db.store.getUserById({ id: member.id }) },
  });
  const where = { url: server.url, token: member.token, agentId: scene.agent.id };
  const { token } = await dial(t, where, "");
  const row = (await db.store.getCryptoKeys({})).find(({ feature }) => feature === "tailnet_resume");
  const key = { id: "1", secret: Buffer.from(row?.secret ?? "", "hex") };
  const long = new Date(Date.UTC(2020, 0, 1));
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  for (const bad of [
    "x",
    "a.b.c",
    `${token}x`,
    token.replace(/\.[^.]*\./, `.${part({ exp: 1e10, sub: cryptoRand.uuid() })}.`),
    signResumeToken({ id: "1", secret: cryptoRand.bytes(64) }, cryptoRand.uuid(), new Date(4e12)).token,
    signResumeToken({ ...key, id: "77" }, cryptoRand.uuid(), new Date(4e12)).token,
    signResumeToken(key, cryptoRand.uuid(), long).token,
    signResumeToken(key, "no uuid", new Date(4e12)).token,
    "x".repeat(5_000),
  ]) {
    await refused(dial(t, where, bad));
  }
});
