import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test, type TestContext } from "node:test";
import { listeners, ownersOf, parseListeners } from "./listeners.ts";

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0000000000000000 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0000000000000000 100 0 0 10 0
   2: 0100007F:1F90 0100007F:C000 01 00000000:00000000 00:00000000 00000000  1000        0 333 1 0000000000000000 100 0 0 10 0
rubbish
`;

test("only sockets that listen, the first of each port", () => {
  assert.deepEqual(parseListeners(table), [
    { port: 8080, inode: "111" },
    { port: 22, inode: "222" },
  ]);
  assert.deepEqual(parseListeners(""), []);
});

async function listen(t: TestContext, host: string): Promise<number> {
  const server = createServer();
  t.after(() => server.close());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port: 0, ipv6Only: host === "::1" }, () => resolve());
  });
  const address = server.address();
  assert.ok(address && typeof address === "object");
  return address.port;
}

test("a listener of this process is found with its program, on IPv6 alone too", async (t) => {
  const ports = [await listen(t, "127.0.0.1"), await listen(t, "::1").catch(() => 0)].filter(
    (port) => port > 0,
  );
  const all = await listeners();
  const mine = all.filter(({ port }) => ports.includes(port));
  assert.equal(mine.length, ports.length);
  const owners = await ownersOf(new Set(mine.map(({ inode }) => inode)));
  for (const { inode } of mine) {
    assert.equal(owners.get(inode)?.pid, process.pid);
    assert.match(owners.get(inode)?.commandLine ?? "", /node/u);
  }
});
