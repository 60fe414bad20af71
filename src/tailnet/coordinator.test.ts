import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { seededRand } from "#cryptorand/seeded.ts";
import { newPrivateKey } from "#net/keys/x25519.ts";
import { MockClock } from "#quartz/mock.ts";
import { CoordinateRequestSchema, type CoordinateResponse, type Node } from "#rpc/gen/tailnet_pb.js";
import { agentPrefixes, serviceAddress, uuidBytes, uuidText } from "./addresses.ts";
import { type CoordinatorStream, Kind } from "./coordinator-peer.ts";
import { MemoryCoordinator } from "./coordinator.ts";
import { encodeNode } from "./node.ts";
import type { PeerAuth } from "./tunnel-auth.ts";

interface Listener {
  readonly stream: CoordinatorStream;
  readonly responses: CoordinateResponse[];
  readonly events: string[];
  readonly ended: Promise<void>;
}

function listen(coordinator: MemoryCoordinator, id: string, auth: PeerAuth): Listener {
  const stream = coordinator.connect({ id, auth });
  const responses: CoordinateResponse[] = [];
  const events: string[] = [];
  const run = async (): Promise<void> => {
    for await (const response of stream.responses()) {
      responses.push(response);
      if (response.error !== "") events.push(`error ${response.error}`);
      for (const update of response.peerUpdates) events.push(`${Kind[update.kind]} ${uuidText(update.id)}`);
    }
    events.push("end");
  };
  return { stream, responses, events, ended: run() };
}

function send(peer: Listener, init: MessageInitShape<typeof CoordinateRequestSchema>): Promise<void> {
  return peer.stream.request(create(CoordinateRequestSchema, init));
}

function node(prefixes: readonly string[], key = newPrivateKey(cryptoRand).public): Node {
  return encodeNode({
    id: 1n,
    asOf: new Date(0),
    key,
    disco: newPrivateKey(cryptoRand).public,
    preferredDerp: 999,
    derpLatency: {},
    derpForcedWebsocket: {},
    prefixes,
    endpoints: [],
  });
}

async function settle(): Promise<void> {
  await new MockClock().advance(0);
}

const agent = "93e52ca9-fb4b-4140-83ea-6ce6cd91ed0b";
const other = "0666067c-5602-4ddb-8dc7-e883cf117734";
const client = "2794266d-5c4d-4b15-ac39-faba213c0585";
const client2 = "8bb5bd71-af99-458c-a5c5-c6e18c12616b";

test("an agent cannot announce another agent's address as allowed IP (CVE-2026-55428)", async () => {
  const coordinator = new MemoryCoordinator({ clock: new MockClock() });
  const peer = listen(coordinator, agent, { kind: "agent", id: agent });
  const forged = node(agentPrefixes(agent));
  forged.allowedIps = [`${serviceAddress(other)}/128`];
  await send(peer, { updateSelf: { node: forged } });
  await peer.ended;
  assert.match(peer.events[0] ?? "", /^error authorization: AllowedIps: invalid node address/);
  assert.equal(coordinator.node(agent), undefined);
});

test("a client cannot take an agent's address, key, or an address outside of the tailnet", async () => {
  const coordinator = new MemoryCoordinator({ clock: new MockClock() });
  const victim = listen(coordinator, agent, { kind: "agent", id: agent });
  const key = newPrivateKey(cryptoRand).public;
  await send(victim, { updateSelf: { node: node(agentPrefixes(agent), key) } });
  const attempts: [Node, RegExp][] = [
    [node(agentPrefixes(agent)), /address belongs to another peer/],
    [node([`${serviceAddress(client)}/128`], key), /key belongs to another peer/],
    [node(["10.0.0.1/32"]), /invalid address bits/],
    [node(["2001:db8::1/128"]), /invalid node address/],
    [node(["fe80::1%eth0/128"]), /parse node address/],
  ];
  for (const [attempt, expected] of attempts) {
    const peer = listen(coordinator, client, { kind: "client", agentId: agent });
    await send(peer, { updateSelf: { node: attempt } });
    await peer.ended;
    assert.match(peer.events[0] ?? "", expected);
  }
  const wide = node([`${serviceAddress(client)}/128`]);
  wide.allowedIps = [`${serviceAddress(other)}/128`];
  const peer = listen(coordinator, client, { kind: "client", agentId: agent });
  await send(peer, { updateSelf: { node: wide } });
  await peer.ended;
  assert.match(peer.events[0] ?? "", /not among the addresses/);
  coordinator.close();
});

test("a client that lost its stream unnoticed may come back under a new id with its own key and address", async () => {
  const coordinator = new MemoryCoordinator({ clock: new MockClock() });
  const same = node([`${serviceAddress(client)}/128`]);
  for (const id of [client, client2]) {
    const peer = listen(coordinator, id, { kind: "client", agentId: agent });
    await send(peer, { updateSelf: { node: same } });
    assert.ok(coordinator.node(id));
  }
  coordinator.close();
});

test("huge nodes are refused", async () => {
  const coordinator = new MemoryCoordinator({ clock: new MockClock() });
  const many = node(agentPrefixes(agent));
  many.endpoints = Array<string>(101).fill("192.0.2.1:1");
  const long = node(agentPrefixes(agent));
  long.derpForcedWebsocket = { 1: "x".repeat(20_000) };
  for (const attempt of [many, long]) {
    const peer = listen(coordinator, agent, { kind: "agent", id: agent });
    await send(peer, { updateSelf: { node: attempt } });
    await peer.ended;
    assert.match(peer.events[0] ?? "", /too many endpoints|too large/);
  }
});

test("a reader that never reads is cut off, and its peers are told", async () => {
  const coordinator = new MemoryCoordinator({ clock: new MockClock() });
  const peer = listen(coordinator, agent, { kind: "agent", id: agent });
  await send(peer, { updateSelf: { node: node(agentPrefixes(agent)) } });
  const slow = coordinator.connect({ id: client, auth: { kind: "client", agentId: agent } });
  await slow.request(
    create(CoordinateRequestSchema, {
      updateSelf: { node: node([`${serviceAddress(client)}/128`]) },
      addTunnel: { id: uuidBytes(agent) },
    }),
  );
  for (let i = 0; i < 600; i++) await send(peer, { readyForHandshake: [{ id: uuidBytes(client) }] });
  await settle();
  assert.ok(peer.events.includes(`DISCONNECTED ${client}`));
  const last: CoordinateResponse[] = [];
  for await (const response of slow.responses()) last.push(response);
  assert.equal(last.at(-1)?.error, "failed to update tunnel peer mapping");
  coordinator.close();
});

test("keys are known while their peer is connected and ten minutes longer", async () => {
  const clock = new MockClock();
  const coordinator = new MemoryCoordinator({ clock });
  const key = newPrivateKey(cryptoRand).public;
  assert.equal(coordinator.knowsKey(key), false);
  const peer = listen(coordinator, agent, { kind: "agent", id: agent });
  await send(peer, { updateSelf: { node: node(agentPrefixes(agent), key) } });
  await clock.advance(3_600_000);
  assert.equal(coordinator.knowsKey(key), true);
  peer.stream.lose();
  await clock.advance(599_000);
  assert.equal(coordinator.knowsKey(key), true);
  await clock.advance(2_000);
  assert.equal(coordinator.knowsKey(key), false);
});

/**
 * Random operations; after each, what every peer has been told must follow from the tunnels: no node without one, LOST
 * and DISCONNECTED only after NODE.
 */
test("nobody learns a node without a tunnel, nor of a loss without a node", async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const rand = seededRand(String(seed));
    const coordinator = new MemoryCoordinator({ clock: new MockClock() });
    const agents = Array.from({ length: 3 }, () => rand.uuid());
    const clients = Array.from({ length: 4 }, () => rand.uuid());
    const peers = new Map<string, Listener>();
    const allowed = new Set<string>();
    const pick = <T>(list: readonly T[]): T | undefined => list[rand.int(list.length)];
    for (let step = 0; step < 120; step++) {
      const isAgent = rand.int(2) === 0;
      const id = pick(isAgent ? agents : clients) ?? "";
      const target = pick(agents) ?? "";
      const peer = peers.get(id);
      if (!peer || rand.int(10) === 0) {
        peers.set(id, listen(coordinator, id, isAgent ? { kind: "agent", id } : { kind: "server" }));
        continue;
      }
      switch (rand.int(5)) {
        case 0:
        case 1:
          await send(peer, { updateSelf: { node: node(agentPrefixes(id)) } });
          break;
        case 2:
          if (isAgent) break;
          allowed.add(`${id} ${target}`).add(`${target} ${id}`);
          await send(peer, { addTunnel: { id: uuidBytes(target) } });
          break;
        case 3:
          if (!isAgent) await send(peer, { removeTunnel: { id: uuidBytes(target) } });
          break;
        default:
          if (rand.int(2) === 0) await send(peer, { disconnect: {} });
          else peer.stream.lose();
          peers.delete(id);
      }
      await Promise.resolve();
      for (const [holder, { responses }] of peers) {
        const has = new Set<string>();
        for (const update of responses.flatMap((response) => response.peerUpdates)) {
          const about = uuidText(update.id) ?? "";
          if (update.kind === Kind.NODE) {
            assert.ok(allowed.has(`${holder} ${about}`), `seed ${seed} step ${step}`);
            has.add(about);
          } else assert.ok(has.delete(about), `seed ${seed} step ${step}: ${Kind[update.kind]} without NODE`);
        }
      }
    }
    coordinator.close();
  }
});
