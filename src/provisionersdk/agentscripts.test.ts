import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { tempDir } from "#testutil/testutil.ts";
import { agentScripts, initScript } from "./agentscripts.ts";

const run = promisify(execFile);

/** Serves one text as every file, and runs the script of this platform against it. */
async function bootstrap(
  t: { after(fn: () => unknown): void },
  dir: string,
  program: string,
  path = process.env["PATH"] ?? "",
): Promise<{ stdout: string }> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === "/bin/coder-linux-amd64" ? 200 : 404);
    response.end(program);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  // A failure waits for a day; the test does not.
  const script =
    initScript("linux", "amd64", `http://127.0.0.1:${port}`)?.replace("sleep 86400", "true") ?? "";
  return await run("sh", ["-c", script], { env: { PATH: path, BINARY_DIR: dir, HOME: dir } });
}

describe("agent scripts", () => {
  it("every platform's has both placeholders and no token", () => {
    for (const [platform, script] of Object.entries(agentScripts())) {
      assert.ok(script.includes("${ACCESS_URL}") && script.includes("${AUTH_TYPE}"), platform);
      assert.ok(!script.includes("CODER_AGENT_TOKEN"), platform);
    }
    assert.equal(initScript("plan9", "mips", "http://x"), undefined);
  });

  it("fetches the program, checks it and becomes it, with the server's address", async (t) => {
    const program =
      '#!/bin/sh\n[ "$1" = --version ] && echo "Coder v1" || echo "$1 $CODER_AGENT_AUTH $CODER_AGENT_URL"\n';
    const { stdout } = await bootstrap(t, await tempDir(t), program);
    assert.match(stdout, /^agent token http:\/\/127\.0\.0\.1:\d+\/\n$/);
  });

  it("refuses a program that is not ours", async (t) => {
    await assert.rejects(
      bootstrap(t, await tempDir(t), "#!/bin/sh\necho hello\n"),
      (error: Error & { code?: number; stderr?: string }) => {
        assert.equal(error.code, 2);
        return /is no coder program/.test(error.stderr ?? "");
      },
    );
  });
});
