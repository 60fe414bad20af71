import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { delimiter, join } from "node:path";
import { test, type TestContext } from "node:test";
import { tempDir } from "#testutil/testutil.ts";
import { agentScript, agentScripts } from "./agent-scripts.ts";

test("each platform has its script; ACCESS_URL and AUTH_TYPE are left for the provider", () => {
  assert.deepEqual(Object.keys(agentScripts), [
    "linux_amd64",
    "linux_arm64",
    "linux_armv7",
    "darwin_amd64",
    "darwin_arm64",
    "windows_amd64",
    "windows_arm64",
  ]);
  for (const [platform, script] of Object.entries(agentScripts)) {
    assert.ok(script.includes("${ACCESS_URL}") && script.includes("${AUTH_TYPE}"), platform);
    assert.ok(!script.includes("${ARCH}"), platform);
    assert.ok(script.includes(`coder-${platform.replace("_", "-")}`), platform);
  }
  const filled = agentScript({
    os: "linux",
    arch: "amd64",
    accessUrl: "https://c.example/",
    authType: "token",
  });
  assert.match(filled ?? "", /BINARY_URL="https:\/\/c\.example\/bin\/coder-linux-amd64"/);
  assert.equal(agentScript({ os: "linux", arch: "mips", accessUrl: "/", authType: "token" }), undefined);
  assert.equal(agentScript({ os: "to", arch: "String", accessUrl: "/", authType: "token" }), undefined);
});

interface Run {
  readonly status: number | null;
  readonly output: string;
}

/** Runs the Linux script against a server that gives these answers for the agent's binary, one after the other. */
async function run(
  t: TestContext,
  answers: readonly (readonly [status: number, body: string])[],
): Promise<Run> {
  const dir = await tempDir(t);
  let asked = 0;
  const server = createServer((request, response) => {
    assert.equal(request.url, "/bin/coder-linux-amd64");
    const [status, body] = answers[Math.min(asked++, answers.length - 1)] ?? [500, ""];
    response.writeHead(status).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  // A day is too long for a test: this one only says how long it would have been.
  await mkdir(join(dir, "bin"));
  await writeFile(join(dir, "bin/sleep"), '#!/bin/sh\necho "slept $1"\n');
  await chmod(join(dir, "bin/sleep"), 0o755);
  const script = agentScript({
    os: "linux",
    arch: "amd64",
    accessUrl: `http://127.0.0.1:${port}/`,
    authType: "token",
  });
  const child = spawn("/bin/sh", ["-c", script ?? ""], {
    env: { PATH: `${join(dir, "bin")}:${process.env["PATH"]}`, TMPDIR: dir, CODER_AGENT_TOKEN: "t" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [status] = await once(child, "close");
  return { status: typeof status === "number" ? status : null, output };
}

const binary = `#!/bin/sh
[ "$1" = --version ] && echo "Coder v2" && exit
echo "ran $1 $CODER_AGENT_AUTH $CODER_AGENT_URL $CODER_AGENT_TOKEN"
`;

/** Skips where the script could not download anything. */
function canDownload(t: TestContext): boolean {
  const dirs = (process.env["PATH"] ?? "").split(delimiter);
  const found = ["curl", "wget", "busybox"].some((name) => dirs.some((dir) => existsSync(join(dir, name))));
  if (!found) t.skip("neither curl nor wget nor busybox is on PATH: the script cannot be tried");
  return found;
}

test("the Linux script downloads the agent, trying again, and becomes it", async (t) => {
  if (!canDownload(t)) return;
  const { status, output } = await run(t, [
    [503, "not yet"],
    [200, binary],
  ]);
  assert.equal(status, 0, output);
  assert.match(output, /slept 30/);
  assert.match(output, /ran agent token http:\/\/127\.0\.0\.1:\d+\/ t/);
});

test("what is not the agent is not run; the machine stays for a day", async (t) => {
  if (!canDownload(t)) return;
  const { status, output } = await run(t, [[200, "#!/bin/sh\necho hello\n"]]);
  assert.equal(status, 2, output);
  assert.match(output, /slept 86400/);
  assert.match(output, /is not the agent/);
});
