import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  ExternalAuthProviderSchema,
  MetadataSchema,
  PrebuiltWorkspaceBuildStage,
  RichParameterValueSchema,
  WorkspaceTransition,
} from "#rpc/gen/provisionersdk_pb.js";
import { providerEnv, publicEnv } from "./environment.ts";

const metadata = create(MetadataSchema, {
  coderUrl: "https://coder.example.test",
  workspaceTransition: WorkspaceTransition.STOP,
  workspaceOwnerGroups: ["a"],
  workspaceOwnerRbacRoles: [{ name: "owner", orgId: "" }],
  workspaceOwnerSessionToken: "canary-session",
  workspaceOwnerSshPrivateKey: "canary-key",
  workspaceOwnerOidcAccessToken: "canary-oidc",
  prebuiltWorkspaceBuildStage: PrebuiltWorkspaceBuildStage.CLAIM,
  runningAgentAuthTokens: [{ agentId: "x", token: "canary-agent" }],
});

test("providerEnv() has what the provider reads", () => {
  const env = providerEnv(
    {
      metadata,
      richParameterValues: [create(RichParameterValueSchema, { name: "p", value: "v" })],
      previousParameterValues: [create(RichParameterValueSchema, { name: "p", value: "w" })],
      externalAuthProviders: [
        create(ExternalAuthProviderSchema, { id: "git hub", accessToken: "canary-git" }),
      ],
    },
    { linux_amd64: "script" },
  );
  assert.equal(env["CODER_WORKSPACE_TRANSITION"], "stop");
  assert.equal(env["CODER_WORKSPACE_OWNER_GROUPS"], '["a"]');
  assert.equal(env["CODER_WORKSPACE_OWNER_RBAC_ROLES"], '[{"name":"owner","org_id":""}]');
  assert.equal(env["CODER_WORKSPACE_IS_PREBUILD_CLAIM"], "true");
  assert.equal(env["CODER_WORKSPACE_IS_PREBUILD"], undefined);
  assert.equal(env["CODER_PARAMETER_148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940"], "v");
  assert.equal(env["CODER_EXTERNAL_AUTH_ACCESS_TOKEN_git hub"], "canary-git");
  assert.equal(env["CODER_AGENT_SCRIPT_linux_amd64"], "script");
  assert.equal(env["CODER_TASK_ID"], "00000000-0000-0000-0000-000000000000");
  const single =
    "CODER_RUNNING_WORKSPACE_AGENT_TOKEN_e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  assert.equal(env[single], "canary-agent");
  const shown = publicEnv(env);
  assert.ok(!JSON.stringify(shown).includes("canary"), JSON.stringify(shown));
  assert.equal(shown["CODER_WORKSPACE_TRANSITION"], "stop");
});

test("no groups and no roles are null; without metadata there is nothing", () => {
  const env = providerEnv({ metadata: create(MetadataSchema) });
  assert.equal(env["CODER_WORKSPACE_OWNER_GROUPS"], "null");
  assert.deepEqual(providerEnv({}), {});
});
