/**
 * `npm run bench -- users-me [REQUESTS] [CONNECTIONS]`: a closed loop of `GET /api/v2/users/me` from another process, and
 * what each request costs this one (the server's CPU, without database and client), beside upstream's 0.71 ms. As many
 * requests go before: the engine's compiler works on the same CPU, and is done after some ten thousand.
 */
import { spawn } from "node:child_process";
import { startCoderd } from "#coderd/coderd.ts";
import { Database } from "#coderd/database/db.ts";
import { startTestCluster } from "#coderd/database/dbtestutil/cluster.ts";
import { loadMigrations, migrate } from "#coderd/database/migrate.ts";
import { newClient } from "#codersdk/client.ts";
import { users } from "#codersdk/users.ts";
import { MemoryPubsub } from "#coderd/database/pubsub/memory-pubsub.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";

const upstreamMs = 0.71;
const requests = Number(process.argv[2] ?? 20_000);
const connections = Number(process.argv[3] ?? 8);

/** Runs in a process of its own: `connections` requests are under way at any time; prints how many were answered. */
const load = `
import http from "node:http";
const [url, token, requests, connections] = process.argv.slice(1);
const { hostname, port } = new URL(url);
const agent = new http.Agent({ keepAlive: true, maxSockets: Number(connections) });
const begin = performance.now();
let left = Number(requests), done = 0, failed = 0;
const times = [];
function one() {
  const start = performance.now();
  return new Promise((resolve) => {
    http.get({ hostname, port, path: "/api/v2/users/me", agent, headers: { "Coder-Session-Token": token } }, (response) => {
      response.resume();
      response.on("end", () => { response.statusCode === 200 ? done++ : failed++; times.push(performance.now() - start); resolve(); });
    }).on("error", () => { failed++; resolve(); });
  });
}
await Promise.all(Array.from({ length: Number(connections) }, async () => { while (left-- > 0) await one(); }));
times.sort((a, b) => a - b);
const seconds = (performance.now() - begin) / 1000;
console.log(JSON.stringify({ seconds, done, failed, p50: times[times.length >> 1], p99: times[Math.floor(times.length * 0.99)] }));
agent.destroy();
`;

interface Result {
  readonly seconds: number;
  readonly done: number;
  readonly failed: number;
  readonly p50: number;
  readonly p99: number;
}

function run(url: string, token: string): Promise<Result> {
  return new Promise((resolve, reject) => {
    const args = ["--input-type=module", "-e", load, url, token, String(requests), String(connections)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`load ended with ${code}`)),
    );
  });
}

await using cluster = await startTestCluster();
await migrate({ connection: cluster.connection, migrations: await loadMigrations() });
await using database = await Database.open({
  connection: cluster.connection,
  log: discardLogger,
  clock: realClock,
});
await using coderd = await startCoderd({
  store: database.store,
  pubsub: new MemoryPubsub(),
  listen: { host: "127.0.0.1", port: 0 },
  log: discardLogger,
  config: { limits: { api: 1_000_000_000, login: 60, files: 12, disabled: false } },
});
const client = newClient({ url: coderd.url });
const account = { email: "bench@test.invalid", password: "SomeSecurePassword!1" };
await client.call(users.createFirstUser, { body: { ...account, username: "bench" } });
const { session_token: token } = await client.call(users.login, { body: account });
await run(coderd.url, token);
const before = process.cpuUsage();
const result = await run(coderd.url, token);
const used = process.cpuUsage(before);
const cpuMs = (used.user + used.system) / 1000 / result.done;
console.table({
  ours: {
    "requests/s": Math.round(result.done / result.seconds),
    "CPU ms/request": Number(cpuMs.toFixed(3)),
    "of it in the kernel": Number((used.system / 1000 / result.done).toFixed(3)),
    "p50 ms": Number(result.p50.toFixed(2)),
    "p99 ms": Number(result.p99.toFixed(2)),
    failed: result.failed,
  },
  upstream: { "requests/s": 1084, "CPU ms/request": upstreamMs },
});
