import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ClientError } from "#codersdk/client.ts";
import { workspaceagents } from "#codersdk/workspaceagents.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { newPrivateKey } from "#net/keys/x25519.ts";
import { discoPublicText, nodePublicBinary } from "#net/keys/text.ts";
import { drpcClient } from "#rpc/drpc/client.ts";
import {
  CoordinateResponse_PeerUpdate_Kind as Kind,
  CoordinateRequestSchema,
  Tailnet,
} from "#rpc/gen/tailnet_pb.js";
import { dialWebSocket } from "#rpc/wsconn/dial.ts";
import { wsDuplex } from "#rpc/wsconn/duplex.ts";
import { YamuxSession } from "#rpc/yamux/session.ts";
import { serviceAddress, uuidBytes } from "#tailnet/addresses.ts";
import { newServer, type Person, type TestServer } from "../coderdtest/coderdtest.ts";
import { templateScene, type WorkspaceScene, workspaceScene } from "../database/dbfake/dbfake.ts";
import { checkVersion } from "./version.ts";

interface World {
  readonly server: TestServer;
  readonly owner: Person;
  readonly member: Person;
  readonly scene: WorkspaceScene;
}

async function world(t: TestContext): Promise<World> {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const member = await server.createAnotherUser();
  const { store } = server.db;
  const scene = await workspaceScene(store, {
    scene: { ...(await templateScene(store)), owner: await store.getUserById({ id: member.id }) },
  });
  return { server, owner, member, scene };
}

const status = (wanted: number) => (error: unknown) =>
  error instanceof ClientError && error.status === wanted;

async function coordinate(
  t: TestContext,
  server: TestServer,
  person: Person,
  agentId: string,
  version = "2.0",
) {
  const url = new URL(`/api/v2/workspaceagents/${agentId}/coordinate?version=${version}`, server.url);
  const ws = await dialWebSocket(url, { headers: { "Coder-Session-Token": person.token }, signal: t.signal });
  const session = YamuxSession.start(wsDuplex(ws), { role: "client" });
  t.after(() => session.close());
  return drpcClient(Tailnet, () => session.open());
}

describe("the tailnet's routes", () => {
  it("connection info has the relay, for whoever may enter the workspace", async (t) => {
    const { server, owner, member, scene } = await world(t);
    const params = { workspaceagent: scene.agent.id };
    const info = await member.client.call(workspaceagents.connection, { params });
    const map = info.derp_map as {
      Regions: Record<string, { Nodes: { HostName: string; DERPPort: number }[] }>;
    };
    assert.equal(map.Regions["999"]?.Nodes[0]?.DERPPort, Number(new URL(server.url).port));
    await owner.client.call(workspaceagents.connection, { params });
    await member.client.call(workspaceagents.connectionGeneric);
    const stranger = await server.createAnotherUser();
    await assert.rejects(stranger.client.call(workspaceagents.connection, { params }), status(404));
  });

  it("coordinates a client with its agent, and with no other", async (t) => {
    const { server, member, scene } = await world(t);
    const agent = server.coderd.services.network.coordinator.connect({
      id: scene.agent.id,
      auth: { kind: "agent", id: scene.agent.id },
    });
    t.after(() => agent.lose());
    const prefix = `${serviceAddress(scene.agent.id)}/128`;
    const key = newPrivateKey(cryptoRand);
    const node = {
      key: nodePublicBinary(key.public),
      disco: discoPublicText(newPrivateKey(cryptoRand).public),
      addresses: [prefix],
      allowedIps: [prefix],
      preferredDerp: 999,
    };
    await agent.request(create(CoordinateRequestSchema, { updateSelf: { node } }));
    const client = await coordinate(t, server, member, scene.agent.id);
    const stream = client.coordinate();
    await stream.send({ addTunnel: { id: uuidBytes(scene.agent.id) } });
    const update = (await stream.receive())?.peerUpdates[0];
    assert.equal(update?.kind, Kind.NODE);
    assert.deepEqual(update.node?.addresses, [prefix]);
    const other = client.coordinate();
    await other.send({ addTunnel: { id: uuidBytes(cryptoRand.uuid()) } });
    let refusal = await other.receive();
    // The tunnel of before is still the peer's own.
    while (refusal?.error === "") refusal = await other.receive();
    assert.match(refusal?.error ?? "", /invalid agent id/);
  });

  it("streams the map of relays", async (t) => {
    const { server, member, scene } = await world(t);
    const client = await coordinate(t, server, member, scene.agent.id);
    const maps = client.streamDERPMaps({});
    assert.equal((await maps.receive())?.regions["999"]?.regionName, "Coder Embedded Relay");
  });

  it("refuses strangers, versions and plain requests", async (t) => {
    const { server, member, scene } = await world(t);
    const stranger = await server.createAnotherUser();
    await assert.rejects(coordinate(t, server, stranger, scene.agent.id), /404/);
    await assert.rejects(coordinate(t, server, member, scene.agent.id, "1.0"), /400/);
    await assert.rejects(coordinate(t, server, member, cryptoRand.uuid()), /404/);
    assert.equal((await fetch(`${server.url}/derp`)).status, 426);
    assert.equal((await fetch(`${server.url}/derp/latency-check`)).status, 200);
  });

  it("checkVersion() tells what is wrong in words that clients match", () => {
    checkVersion("2.0", "1.0");
    checkVersion("", "2.0");
    const cases: [string, RegExp][] = [
      ["3.0", /behind requested major version 3\.0/],
      ["2.99", /behind requested minor version 2\.99/],
      ["1.5", /version 1\.5 is no longer supported/],
      ["x", /invalid version string: x/],
      ["a.1", /invalid major version: a/],
      ["2.b", /invalid minor version: b/],
    ];
    for (const [text, wanted] of cases) {
      assert.throws(
        () => checkVersion(text, ""),
        (error: Error & { validations?: readonly { detail: string }[] }) =>
          error.message === "Unknown or unsupported API version" &&
          wanted.test(error.validations?.[0]?.detail ?? ""),
      );
    }
  });
});
