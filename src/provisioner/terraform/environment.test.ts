import assert from "node:assert/strict";
import { test } from "node:test";
import { baseEnv, goPlatform } from "./environment.ts";

test("baseEnv() keeps the daemon's environment, except what is ours", () => {
  const env = baseEnv({
    PATH: "/bin",
    AWS_REGION: "eu",
    CODER_PG_CONNECTION_URL: "secret",
    CODER_LOCAL_AGENT: "./coder agent",
    TF_REATTACH_PROVIDERS: "{}",
    UNSET: undefined,
  });
  assert.deepEqual(env, {
    CHECKPOINT_DISABLE: "1",
    PATH: "/bin",
    AWS_REGION: "eu",
    CODER_LOCAL_AGENT: "./coder agent",
  });
  assert.equal(baseEnv({ CHECKPOINT_DISABLE: "" })["CHECKPOINT_DISABLE"], "");
});

test("goPlatform() speaks Go", () => {
  assert.deepEqual(goPlatform({ platform: "linux", arch: "x64" }), { os: "linux", arch: "amd64" });
  assert.deepEqual(goPlatform({ platform: "win32", arch: "arm64" }), { os: "windows", arch: "arm64" });
});
