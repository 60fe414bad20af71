import assert from "node:assert/strict";
import { it } from "node:test";
import { allServerOptions } from "#coderd/deployment/options.ts";
import { resolve } from "#serpent/resolve.ts";
import { coderdConfig } from "./config.ts";

const configOf = (env: NodeJS.ProcessEnv) =>
  coderdConfig(resolve({ options: allServerOptions, env, flags: [] }));

it("the relay's region and the intervals come from their options", () => {
  const config = configOf({
    CODER_DERP_SERVER_REGION_ID: "7",
    CODER_DERP_SERVER_REGION_CODE: "eu",
    CODER_DERP_SERVER_REGION_NAME: "Europe",
    CODER_JOB_HANG_DETECTOR_INTERVAL: "10s",
    CODER_AGENT_STATS_REFRESH_INTERVAL: "5s",
  });
  assert.deepEqual(config.network?.relayRegion, { id: 7, code: "eu", name: "Europe" });
  assert.equal(config.jobReaperIntervalMs, 10_000);
  assert.equal(config.agentStatsIntervalMs, 5_000);
});

it("values that cannot be are named", () => {
  for (const [env, value] of [
    ["CODER_DERP_SERVER_REGION_ID", "0"],
    ["CODER_DERP_SERVER_REGION_ID", "2147483648"],
    ["CODER_JOB_HANG_DETECTOR_INTERVAL", "0s"],
    ["CODER_AGENT_STATS_REFRESH_INTERVAL", "-1s"],
    ["CODER_ACCESS_URL", "coder.example.com"],
  ] as const) {
    assert.throws(() => configOf({ [env]: value }), /received/, `${env}=${value}`);
  }
});
