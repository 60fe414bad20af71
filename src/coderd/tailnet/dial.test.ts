/** The whole path without an agent program: client, server's coordinator and relay, an agent's network. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { dialAgent } from "#codersdk/workspacesdk/dial.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { drpcClient } from "#rpc/drpc/client.ts";
import { memoryStreams } from "#rpc/drpc/memory.ts";
import { Tailnet } from "#rpc/gen/tailnet_pb.js";
import { dialWebSocket } from "#rpc/wsconn/dial.ts";
import { wsDuplex } from "#rpc/wsconn/duplex.ts";
import { discardLogger } from "#slog/slog.ts";
import { TailnetAgentNetwork } from "#tailnet/agent-network.ts";
import { PermanentDialError } from "#tailnet/client-controller.ts";
import { newServer } from "../coderdtest/coderdtest.ts";
import { templateScene, workspaceScene } from "../database/dbfake/dbfake.ts";
import { tailnetRouter } from "./service.ts";

it("a client reaches its agent through the server's relay, and strangers do not", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const { store } = server.db;
  const scene = await workspaceScene(store, {
    scene: { ...(await templateScene(store)), owner: await store.getUserById({ id: owner.id }) },
  });
  const { id: agentId } = scene.agent;
  const { network } = server.coderd.services;
  const shared = { clock: realClock, log: discardLogger, rand: cryptoRand };
  await using agent = TailnetAgentNetwork.start({
    ...shared,
    facts: {
      agentId,
      derpMap: network.derpMap(),
      disableDirectConnections: false,
      derpForceWebsockets: false,
    },
    serverUrl: server.url,
    headers: {},
    accept: (port) => (port <= 2 ? (stream) => void stream.pipe(stream) : undefined),
  });
  const router = tailnetRouter(network, { id: agentId, auth: { kind: "agent", id: agentId } });
  const stop = new AbortController();
  const running = agent.coordinate(drpcClient(Tailnet, memoryStreams(router)), stop.signal);
  const dial = (person: { readonly token: string }) =>
    dialAgent({
      ...shared,
      url: server.url,
      token: person.token,
      agentId,
      signal: AbortSignal.timeout(20_000),
    });
  {
    await using client = await dial(owner);
    const stream = await client.ssh();
    stream.end("echo");
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(Buffer.from(part));
    assert.equal(Buffer.concat(parts).toString(), "echo");
    assert.equal((await client.ping()).via, "DERP(Coder Embedded Relay)");
    await assert.rejects(client.dialTcp(7), { code: "ECONNREFUSED" });
  }
  {
    // A web terminal: the server's own peer carries it.
    const url = new URL(`/api/v2/workspaceagents/${agentId}/pty?height=24&width=80`, server.url);
    const headers = { "Coder-Session-Token": owner.token };
    await assert.rejects(dialWebSocket(url, { headers }), /400/);
    url.searchParams.set("reconnect", cryptoRand.uuid());
    // Not before the agent has told the server that it is there.
    await assert.rejects(dialWebSocket(url, { headers }), /404/);
    await server.db.store.updateAgentConnection({ agentId, now: realClock.now(), replicaId: null });
    const ws = wsDuplex(await dialWebSocket(url, { headers }));
    ws.write('{"data":"ls"}');
    let got = "";
    for await (const part of ws) {
      got += Buffer.from(part).toString();
      if (got.includes("ls")) break;
    }
    assert.match(got, /"Height":24,"Width":80.*\{"data":"ls"\}/);
  }
  const stranger = await server.createAnotherUser();
  await assert.rejects(dial(stranger), PermanentDialError);
  stop.abort(new Error("done"));
  await running;
});
