/** The `docker` types against a real daemon. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it, type TestContext } from "node:test";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import type { Engine } from "#provisionersdk/engine.ts";
import { tempDir } from "#testutil/testutil.ts";
import { nativeEngine } from "../engine.ts";
import { type Build, type BuildInput, runBuild } from "../nativetest/session.ts";
import { TestDocker, testImage } from "../nativetest/dockerd.ts";
import { at, isRecord, listAt, textAt, textsAt } from "./json.ts";

const engine: Engine = nativeEngine({ rand: cryptoRand, os: "linux", arch: "amd64" });

const frame = (docker: TestDocker, body: string): string => `
terraform {
  required_providers {
    coder  = { source = "coder/coder" }
    docker = { source = "kreuzwerker/docker" }
  }
}
provider "docker" {
  host = "${docker.host}"
}
data "coder_workspace" "me" {}
${body}`;

type Attributes = Readonly<Record<string, unknown>>;

/** Attributes by `type.name[key]`, and which are tainted. */
function stateOf(bytes: Uint8Array): { attributes: Record<string, Attributes>; tainted: string[] } {
  const state: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
  const out: { attributes: Record<string, Attributes>; tainted: string[] } = { attributes: {}, tainted: [] };
  for (const resource of listAt(state, "resources")) {
    for (const instance of listAt(resource, "instances")) {
      const index = at(instance, "index_key");
      const key = index === undefined ? "" : `[${JSON.stringify(index)}]`;
      const name = `${textAt(resource, "type")}.${textAt(resource, "name")}${key}`;
      const attributes = at(instance, "attributes");
      out.attributes[name] = isRecord(attributes) ? attributes : {};
      if (textAt(instance, "status") === "tainted") out.tainted.push(name);
    }
  }
  return out;
}

async function build(t: TestContext, main: string, more: Partial<BuildInput> = {}): Promise<Build> {
  return runBuild(engine, await tempDir(t), { files: { "main.tf": main }, ...more });
}

async function good(t: TestContext, main: string, more: Partial<BuildInput> = {}): Promise<Uint8Array> {
  const made = await build(t, main, more);
  assert.equal(made.error, "", made.logs.map(({ output }) => output).join("\n"));
  return made.apply?.state ?? new Uint8Array();
}

const names = async (docker: TestDocker, kind: "containers" | "volumes"): Promise<string[]> => {
  if (kind === "volumes") {
    return listAt(await docker.client.call("GET", "/volumes"), "Volumes").map((item) => textAt(item, "Name"));
  }
  const all = await docker.client.call("GET", "/containers/json", { query: { all: "1" } });
  return (Array.isArray(all) ? all : []).flatMap((item: unknown) => textsAt(item, "Names")).sort();
};

it("docker types against a daemon", { timeout: 300_000 }, async (t) => {
  const docker = await TestDocker.start(t);
  if (!docker) return;

  await t.test("a workspace: start, the same again, stop, start, delete", async (t) => {
    const main = frame(
      docker,
      `
resource "docker_volume" "home" {
  name = "home-\${data.coder_workspace.me.id}"
  lifecycle {
    ignore_changes = all
  }
  labels {
    label = "coder.workspace"
    value = data.coder_workspace.me.id
  }
}
resource "docker_image" "main" {
  name         = "${testImage}"
  keep_locally = true
}
resource "docker_container" "workspace" {
  count        = data.coder_workspace.me.start_count
  image        = docker_image.main.image_id
  name         = "coder-\${data.coder_workspace.me.name}"
  hostname     = data.coder_workspace.me.name
  network_mode = "host"
  entrypoint   = ["sh", "-c", "echo $GREETING > /home/x; exec sleep 1000"]
  env          = ["GREETING=hello"]
  host {
    host = "host.docker.internal"
    ip   = "127.0.0.1"
  }
  volumes {
    container_path = "/home"
    volume_name    = docker_volume.home.name
  }
  mounts {
    type      = "bind"
    source    = "/etc"
    target    = "/hostetc"
    read_only = true
  }
  capabilities {
    drop = ["NET_RAW"]
  }
  memory = 64
}`,
    );
    const first = await good(t, main);
    const made = stateOf(first);
    const container = made.attributes["docker_container.workspace[0]"] ?? {};
    const id = String(container["id"]);
    assert.match(id, /^[0-9a-f]{64}$/);
    const seen = await docker.client.call("GET", `/containers/${id}/json`);
    assert.equal(at(seen, "State", "Running"), true);
    assert.equal(textAt(seen, "Name"), "/coder-wren");
    assert.deepEqual(textsAt(seen, "Config", "Env").slice(0, 1), ["GREETING=hello"]);
    assert.deepEqual(textsAt(seen, "HostConfig", "ExtraHosts"), ["host.docker.internal:127.0.0.1"]);
    assert.deepEqual(textsAt(seen, "HostConfig", "CapDrop"), ["CAP_NET_RAW"]);
    assert.equal(at(seen, "HostConfig", "Memory"), 64 * 1024 * 1024);
    assert.equal(
      made.attributes["docker_volume.home"]?.["name"],
      "home-10000000-0000-4000-8000-000000000001",
    );

    const again = await build(t, main, { state: first });
    assert.equal(again.error, "");
    assert.ok(
      again.logs.some(({ output }) => output.startsWith("Plan: 0 to add, 0 to change, 0 to destroy")),
    );
    const stopped = await good(t, main, { state: first, transition: "stop" });
    assert.deepEqual(await names(docker, "containers"), []);
    assert.deepEqual(await names(docker, "volumes"), ["home-10000000-0000-4000-8000-000000000001"]);
    const second = await good(t, main, { state: stopped });
    assert.deepEqual(await names(docker, "containers"), ["/coder-wren"]);
    await good(t, main, { state: second, transition: "destroy" });
    assert.deepEqual(await names(docker, "containers"), []);
    assert.deepEqual(await names(docker, "volumes"), []);
  });

  await t.test(
    "for_each, networks, ports, limits, labels; changes in place and by replacement",
    async (t) => {
      const main = (cpus: string, restart: string, image = testImage): string =>
        frame(
          docker,
          `
resource "docker_network" "net" {
  name     = "coder-test-net"
  internal = true
  ipam_config {
    subnet = "10.213.77.0/24"
  }
}
resource "docker_container" "part" {
  for_each       = toset(["a", "b"])
  name           = "part-\${each.key}"
  image          = "${image}"
  command        = ["sleep", "1000"]
  restart        = "${restart}"
  cpu_shares     = ${cpus}
  user           = "0:0"
  working_dir    = "/tmp"
  tmpfs          = { "/run" = "rw" }
  stop_timeout   = 1
  log_driver     = "json-file"
  log_opts       = { "max-size" = "1m" }
  networks_advanced {
    name    = docker_network.net.name
    aliases = ["part-\${each.key}-alias"]
  }
  ports {
    internal = 80
    external = 0
  }
  ulimit {
    name = "nofile"
    soft = 1000
    hard = 2000
  }
  labels {
    label = "part"
    value = each.key
  }
  healthcheck {
    test     = ["CMD", "true"]
    interval = "30s"
  }
}`,
        );
      const first = await good(t, main("512", "no"));
      const idOf = (state: Uint8Array): unknown =>
        stateOf(state).attributes['docker_container.part["a"]']?.["id"];
      const seen = await docker.client.call("GET", "/containers/part-a/json");
      assert.ok(isRecord(at(seen, "NetworkSettings", "Networks", "coder-test-net")));
      assert.equal(at(seen, "Config", "Labels", "part"), "a");
      assert.equal(at(seen, "Config", "Healthcheck", "Interval"), 30e9);
      const quiet = await build(t, main("512", "no"), { state: first });
      assert.ok(
        quiet.logs.some(({ output }) => output.startsWith("Plan: 0 to add, 0 to change, 0 to destroy")),
      );
      const second = await good(t, main("256", "always"), { state: first });
      assert.equal(idOf(second), idOf(first), "limits change in place");
      const changed = await docker.client.call("GET", "/containers/part-a/json");
      assert.equal(at(changed, "HostConfig", "CpuShares"), 256);
      assert.equal(textAt(changed, "HostConfig", "RestartPolicy", "Name"), "always");
      const inspected = await docker.client.call("GET", `/images/${testImage}/json`);
      const third = await good(t, main("256", "always", textAt(inspected, "Id")), { state: second });
      assert.notEqual(idOf(third), idOf(second), "another image makes another container");
      await good(t, main("256", "always"), { state: third, transition: "destroy" });
      assert.deepEqual(await names(docker, "containers"), []);
      assert.equal(await docker.client.find("/networks/coder-test-net"), undefined);
    },
  );

  const one = (body: string): string =>
    frame(
      docker,
      `
resource "docker_container" "x" {
  name  = "box-x"
  image = "${testImage}"
  ${body}
}`,
    );
  const running = 'network_mode = "none"\n command = ["sleep", "1000"]';

  await t.test(
    "a container that ends at once fails the build with its last words, and is removed later",
    async (t) => {
      const main = one('command = ["sh", "-c", "echo no coffee; exit 7"]');
      const failed = await build(t, main);
      assert.match(failed.error, /does not run: it ended at once with status 7\nno coffee/);
      const state = failed.apply?.state ?? new Uint8Array();
      assert.deepEqual(stateOf(state).tainted, ["docker_container.x"]);
      await good(t, main, { state, transition: "destroy" });
      assert.deepEqual(await names(docker, "containers"), []);
      await good(t, one('must_run = false\n command = ["sh", "-c", "exit 7"]'), {}).then((made) =>
        good(t, main, { state: made, transition: "destroy" }),
      );
    },
  );

  await t.test(
    "removed by hand: made anew; stopped by hand: started; gone before a delete: no error",
    async (t) => {
      const first = await good(t, one(running));
      await docker.client.call("DELETE", "/containers/box-x", { query: { force: "1" } });
      const second = await good(t, one(running), { state: first });
      const ids = [first, second].map((state) => stateOf(state).attributes["docker_container.x"]?.["id"]);
      assert.notEqual(ids[0], ids[1]);
      await docker.client.call("POST", "/containers/box-x/kill");
      const third = await good(t, one(running), { state: second });
      assert.equal(stateOf(third).attributes["docker_container.x"]?.["id"], ids[1]);
      assert.equal(at(await docker.client.call("GET", "/containers/box-x/json"), "State", "Running"), true);
      await docker.client.call("DELETE", "/containers/box-x", { query: { force: "1" } });
      await good(t, one(running), { state: third, transition: "destroy" });
    },
  );

  await t.test(
    "a name that somebody else's container has is refused, and that container stays",
    async (t) => {
      const body = { Image: testImage, Cmd: ["sleep", "1000"], HostConfig: { NetworkMode: "none" } };
      await docker.client.call("POST", "/containers/create", { query: { name: "box-x" }, body });
      const failed = await build(t, one(running));
      assert.match(failed.error, /a container named box-x exists already/);
      const state = failed.apply?.state ?? new Uint8Array();
      await good(t, one(running), { state, transition: "destroy" });
      assert.deepEqual(await names(docker, "containers"), ["/box-x"]);
      await docker.client.call("DELETE", "/containers/box-x");
    },
  );

  await t.test("Docker restarted in the middle of a build: it fails, and nothing is forgotten", async (t) => {
    const dir = await tempDir(t);
    mkdirSync(join(dir, "go"));
    const main = frame(
      docker,
      `
resource "docker_container" "x" {
  name         = "box-x"
  image        = "${testImage}"
  network_mode = "none"
  command      = ["sleep", "1000"]
}
resource "terraform_data" "wait" {
  input = docker_container.x.id
  provisioner "local-exec" {
    command = "echo first-is-up; until [ -e ${dir}/go/on ]; do sleep 0.05; done"
  }
}
resource "docker_container" "y" {
  name         = "box-y"
  image        = "${testImage}"
  network_mode = "none"
  command      = ["sh", "-c", "echo \${terraform_data.wait.id}; sleep 1000"]
}`,
    );
    let stopped: Promise<void> | undefined;
    const broken = await build(t, main, {
      onLine(line) {
        if (!line.endsWith(": first-is-up")) return;
        stopped ??= docker.stop().then(() => writeFileSync(join(dir, "go/on"), ""));
      },
    });
    assert.ok(stopped, "the build got that far");
    assert.match(broken.error, /docker_container\.y: cannot talk to the Docker daemon at \S+: /);
    await docker.run();
    const state = broken.apply?.state ?? new Uint8Array();
    assert.ok(Object.hasOwn(stateOf(state).attributes, "docker_container.x"));
    const second = await good(t, main, { state });
    assert.deepEqual(await names(docker, "containers"), ["/box-x", "/box-y"]);
    await good(t, main, { state: second, transition: "destroy" });
    assert.deepEqual(await names(docker, "containers"), []);
  });
});
