/**
 * A Docker daemon of the tests' own: in a scratch folder, without a bridge and without firewall rules, so that it does
 * not meet the machine's. Needs root and the programs of Debian's docker.io; where it cannot run, tests skip. Test only.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { eventually, uniqueName } from "#testutil/testutil.ts";
import { DockerClient } from "../docker/client.ts";

export const testImage = "coder-test:1";

const programs = ["sh", "sleep", "cat", "env", "ls", "id", "mkdir", "touch", "rm", "uname", "echo"];

function onPath(name: string): string | undefined {
  return [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/sbin", "/usr/bin", "/bin"]
    .map((dir) => join(dir, name))
    .find((file) => existsSync(file));
}

/** Why there can be none here; undefined if there can. */
function missing(): string | undefined {
  if (process.getuid?.() !== 0) return "a Docker daemon for tests needs root";
  const lacking = ["dockerd", "containerd", "runc", "ldd", "tar"].filter(
    (name) => onPath(name) === undefined,
  );
  return lacking.length > 0
    ? `not on this machine: ${lacking.join(", ")} (Debian: apt-get install docker.io)`
    : undefined;
}

export class TestDocker {
  readonly socket: string;
  readonly client: DockerClient;
  readonly #root: string;
  readonly #namespace = uniqueName("coder-test");
  #daemon: ChildProcess | undefined;

  private constructor(root: string) {
    this.#root = root;
    this.socket = join(root, "docker.sock");
    this.client = new DockerClient({ kind: "unix", path: this.socket });
  }

  /** Undefined, after a loud skip, where the machine does not allow one. */
  static async start(t: TestContext): Promise<TestDocker | undefined> {
    const why = missing();
    if (why !== undefined) {
      t.skip(why);
      return undefined;
    }
    const docker = new TestDocker(await mkdtemp(join(tmpdir(), "coder-docker-")));
    t.after(() => docker.#end());
    try {
      await docker.run();
      await docker.#importImage();
    } catch (error) {
      const log = readFileSync(join(docker.#root, "log"), "utf8").split("\n").slice(-4).join("\n");
      t.skip(`a Docker daemon does not run here: ${String(error)}\n${log}`);
      return undefined;
    }
    return docker;
  }

  get host(): string {
    return `unix://${this.socket}`;
  }

  async run(): Promise<void> {
    const [root, name] = [this.#root, this.#namespace];
    const log = openSync(join(root, "log"), "a");
    const flags = {
      "data-root": join(root, "data"),
      "exec-root": join(root, "exec"),
      pidfile: join(root, "pid"),
      host: this.host,
      "containerd-namespace": name,
      "containerd-plugins-namespace": `${name}-plugins`,
      bridge: "none",
      iptables: "false",
      "shutdown-timeout": "1",
      // Its containers outlive a restart, as on machines that are set up with care.
      "live-restore": "true",
    };
    const daemon = spawn(
      onPath("dockerd") ?? "dockerd",
      Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
      { stdio: ["ignore", log, log] },
    );
    this.#daemon = daemon;
    await eventually(
      "Docker answers",
      async () => {
        if (daemon.exitCode !== null) throw new Error(`dockerd ended with ${daemon.exitCode}`);
        await this.client.ping();
        return true;
      },
      { timeoutMs: 30_000 },
    );
  }

  /** Leaves its containers running; `run` starts it again. */
  async stop(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = undefined;
    if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const gone = once(daemon, "exit");
    daemon.kill("SIGTERM");
    await gone;
  }

  async #end(): Promise<void> {
    const all = this.#daemon
      ? await this.client.call("GET", "/containers/json", { query: { all: "1" } })
      : [];
    for (const item of Array.isArray(all) ? all : []) {
      const { Id: id }: { Id: string } = item;
      await this.client.call("DELETE", `/containers/${id}`, { query: { force: "1", v: "1" } });
    }
    await this.stop();
    const mounts = readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[1] ?? "");
    for (const mount of mounts.filter((path) => path.startsWith(`${this.#root}/`)).reverse()) {
      execFileSync("umount", ["-l", mount], { stdio: "ignore" });
    }
    await rm(this.#root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  /** A few programs of this machine with their libraries, and those that Node needs. */
  async #importImage(): Promise<void> {
    const root = join(this.#root, "image");
    for (const dir of ["bin", "etc", "tmp", "root"]) mkdirSync(join(root, dir), { recursive: true });
    writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    const copy = (from: string, to: string): void => {
      const target = join(root, to);
      if (existsSync(target)) return;
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(realpathSync(from), target);
    };
    for (const program of [...programs.map((name) => onPath(name) ?? ""), process.execPath]) {
      if (program === "") continue;
      if (program !== process.execPath) copy(program, join("bin", program.split("/").at(-1) ?? ""));
      for (const [library] of execFileSync("ldd", [program], { encoding: "utf8" }).matchAll(/\/\S+/g)) {
        copy(library, library);
      }
    }
    const tar = execFileSync("tar", ["-C", root, "-c", "."], { maxBuffer: 512 << 20 });
    const [repo = "", tag = ""] = testImage.split(":");
    await importTar(this.socket, tar, { repo, tag });
  }
}

/** `POST /images/create?fromSrc=-` with a tar as its body. */
async function importTar(
  socket: string,
  tar: Buffer,
  { repo, tag }: { readonly repo: string; readonly tag: string },
): Promise<void> {
  const { request } = await import("node:http");
  await new Promise<void>((resolve, reject) => {
    const path = `/images/create?fromSrc=-&repo=${repo}&tag=${tag}`;
    const headers = { "Content-Type": "application/x-tar", "Content-Length": tar.length };
    const sent = request({ socketPath: socket, method: "POST", path, headers, agent: false }, (response) => {
      response.resume();
      response.once("end", () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`import: ${response.statusCode}`)),
      );
    });
    sent.once("error", reject);
    sent.end(tar);
  });
}
