/** What goes wrong between us and a daemon, with a daemon that is played here. */
import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { it, type TestContext } from "node:test";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { tempDir } from "#testutil/testutil.ts";
import { nativeEngine } from "../engine.ts";
import { runBuild } from "../nativetest/session.ts";
import { reasonText, supports } from "../supports.ts";
import { DockerClient, unreachableReason } from "./client.ts";
import { dockerEndpoint } from "./endpoint.ts";
import { authFromConfig, authHeader, ensureImage, parseImage } from "./images.ts";

async function played(
  t: TestContext,
  answer: RequestListener,
): Promise<{ socket: string; client: DockerClient }> {
  const socket = join(await tempDir(t), "docker.sock");
  const server = createServer(answer).listen(socket);
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { socket, client: new DockerClient({ kind: "unix", path: socket }) };
}

const options = { auths: [], signal: new AbortController().signal };

it("a pull that is cut off fails, whichever way it is cut", async (t) => {
  for (const end of ["break", "silence", "refusal"] as const) {
    const { client } = await played(t, (request, response) => {
      if (request.method === "GET") return void response.writeHead(404).end('{"message":"No such image"}');
      response.write('{"status":"Pulling","id":"a"}\n');
      if (end === "refusal") response.end('{"error":"toomanyrequests: slow down"}\n');
      else if (end === "silence") response.end('{"status":"Downloading"}\n');
      else realClock.timer(0, () => response.destroy());
    });
    const why = {
      break: /cannot talk to the Docker daemon/,
      silence: /ended before the image was there/,
      refusal: /slow down/,
    };
    await assert.rejects(ensureImage(client, "ghcr.io/x/y:1", options), (error: Error) => {
      assert.match(error.message, /cannot pull image ghcr\.io\/x\/y:1/);
      assert.match(error.message, why[end]);
      return true;
    });
  }
});

it("a pull sends the registry's credentials, and no other registry's", async (t) => {
  const seen: string[] = [];
  const { client } = await played(t, (request, response) => {
    if (request.method === "POST") {
      seen.push(request.url ?? "", String(request.headers["x-registry-auth"]));
      return void response.end("{}\n");
    }
    response.writeHead(seen.length > 0 ? 200 : 404).end("{}");
  });
  const auths = [
    { address: "https://index.docker.io/v1/", username: "hub", password: "a" },
    { address: "ghcr.io", username: "gh", password: "b" },
  ];
  await ensureImage(client, "ghcr.io/x/y:1", { ...options, auths });
  assert.equal(seen[0], "/images/create?fromImage=ghcr.io%2Fx%2Fy&tag=1");
  assert.deepEqual(JSON.parse(Buffer.from(seen[1] ?? "", "base64url").toString()), {
    username: "gh",
    password: "b",
    serveraddress: "ghcr.io",
  });
  assert.ok(authHeader(auths, "docker.io"));
  assert.equal(authHeader(auths, "quay.io"), undefined);
});

it("images' names and Docker's own configuration of registries", async (t) => {
  assert.deepEqual(parseImage("debian"), { registry: "docker.io", from: "debian", tag: "latest" });
  assert.deepEqual(parseImage("a/b:c"), { registry: "docker.io", from: "a/b", tag: "c" });
  assert.deepEqual(parseImage("localhost:5000/a"), {
    registry: "localhost:5000",
    from: "localhost:5000/a",
    tag: "latest",
  });
  assert.deepEqual(parseImage("a.io/b@sha256:00"), { registry: "a.io", from: "a.io/b@sha256:00", tag: "" });
  const file = join(await tempDir(t), "config.json");
  writeFileSync(
    file,
    JSON.stringify({ auths: { "a.io": { auth: Buffer.from("u:p:q").toString("base64") } } }),
  );
  assert.deepEqual(authFromConfig("a.io", { file }), { address: "a.io", username: "u", password: "p:q" });
  assert.equal(authFromConfig("b.io", { file }), undefined);
  assert.throws(() => authFromConfig("a.io", { file: `${file}.none` }), /cannot read/);
  assert.throws(() => authFromConfig("a.io", { content: "{" }), /no JSON/);
});

it("where a daemon is: the block, else the environment, else the usual socket", () => {
  assert.deepEqual(dockerEndpoint({}, {}), { kind: "unix", path: "/var/run/docker.sock" });
  assert.deepEqual(dockerEndpoint({}, { DOCKER_HOST: "tcp://h:1" }), { kind: "tcp", host: "h", port: 1 });
  assert.deepEqual(dockerEndpoint({ host: "unix:///a" }, { DOCKER_HOST: "tcp://h:1" }), {
    kind: "unix",
    path: "/a",
  });
  assert.deepEqual(dockerEndpoint({ host: "tcp://[::1]:2", ca: "x" }, {}), {
    kind: "tcp",
    host: "::1",
    port: 2,
    tls: { ca: "x" },
  });
  assert.throws(() => dockerEndpoint({ host: "ssh://h" }, {}), /received "ssh:\/\/h"; for ssh set/);
});

it("without a daemon an import fails at once, with the address and what to do", async (t) => {
  const main = 'resource "docker_volume" "v" {\n  name = "v"\n}\n';
  const plan = async (host: string): Promise<string> => {
    const engine = nativeEngine({ rand: cryptoRand, os: "linux", arch: "amd64", env: { DOCKER_HOST: host } });
    return (await runBuild(engine, await tempDir(t), { files: { "main.tf": main }, planOnly: true })).error;
  };
  assert.match(
    await plan("unix:///nonexistent/d.sock"),
    /\/nonexistent\/d\.sock: no such socket\. Start Docker/,
  );
  assert.match(await plan("tcp://127.0.0.1:1"), /tcp:\/\/127\.0\.0\.1:1: connection refused/);
});

it("a socket that this user may not use is told with the user's name and the remedy", () => {
  const error = new Error("connect EACCES /var/run/docker.sock");
  assert.match(
    unreachableReason("EACCES", error, "ada"),
    /permission denied for user ada\. .*usermod -aG docker ada/,
  );
});

it("what the engine lacks is named: argument, block, provider's argument", async (t) => {
  const dir = await tempDir(t);
  writeFileSync(
    join(dir, "main.tf"),
    `
provider "docker" {
  context = "x"
}
resource "docker_container" "c" {
  name  = "c1"
  image = "i"
  logs  = true
  upload {
    file = "/x"
  }
}
resource "docker_image" "i" {
  name = "i"
  dynamic "build" {
    for_each = []
    content {
      context = "."
    }
  }
}
data "docker_registry_image" "r" {
  name = "i"
}
`,
  );
  const support = supports(dir);
  assert.deepEqual(support.ok ? [] : support.reasons.map(reasonText).sort(), [
    "main.tf line 15: block build of docker_image",
    "main.tf line 22: data source type docker_registry_image",
    'main.tf line 3: argument context of provider "docker"',
    "main.tf line 8: argument logs of docker_container",
    "main.tf line 9: block upload of docker_container",
  ]);
});
