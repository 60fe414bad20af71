/** coder_agent */
import { createHash } from "node:crypto";
import { atLeast, between, error, oneOf, warning } from "../checks.ts";
import {
  blocksOf,
  computed,
  implicitId,
  items,
  listOf,
  optional,
  required,
  schema,
  setOf,
  stringOf,
  withNestedZeros,
} from "../define.ts";
import {
  unknown,
  type Attributes,
  type Check,
  type Json,
  type Problem,
  type ProviderContext,
  type ResourceDef,
} from "../types.ts";

/** Go's path/filepath on the agent's system is not known here: a path that starts with a slash is absolute. */
const volumePath: Check = (value) => {
  if (value === "") return [error("volume path must not be empty")];
  return stringOf(value).startsWith("/") ? [] : [error("volume path must be an absolute path")];
};

const directory: Check = (value) =>
  value === "" || value === "$HOME" || value === "~"
    ? []
    : [
        warning('"dir" is deprecated and will be removed in a future release.'),
        warning('With "dir" other than $HOME, file sync of the desktop application does not work.'),
      ];

const threshold = required("number", { check: between(0, 100) });

const block = schema(
  {
    id: implicitId,
    os: required("string", { check: oneOf("linux", "darwin", "windows") }),
    arch: required("string", { check: oneOf("amd64", "armv7", "arm64") }),
    auth: optional("string", {
      default: "token",
      check: oneOf("token", "google-instance-identity", "aws-instance-identity", "azure-instance-identity"),
    }),
    api_key_scope: optional("string", { default: "all", check: oneOf("all", "no_user_data") }),
    dir: optional("string", {
      deprecated: "dir is deprecated and will be removed in a future release.",
      check: directory,
    }),
    env: optional(["map", "string"]),
    startup_script: optional("string"),
    shutdown_script: optional("string"),
    motd_file: optional("string"),
    troubleshooting_url: optional("string"),
    startup_script_behavior: optional("string", {
      default: "non-blocking",
      check: oneOf("blocking", "non-blocking"),
    }),
    connection_timeout: optional("number", { default: 120, check: atLeast(0) }),
    order: optional("number"),
    token: computed("string", { sensitive: true }),
    init_script: computed("string"),
  },
  {
    metadata: listOf({
      key: required("string"),
      script: required("string"),
      interval: required("number"),
      display_name: optional("string"),
      timeout: optional("number"),
      order: optional("number"),
    }),
    display_apps: setOf(
      {
        vscode: optional("bool", { default: true }),
        vscode_insiders: optional("bool", { default: false }),
        web_terminal: optional("bool", { default: true }),
        ssh_helper: optional("bool", { default: true }),
        port_forwarding_helper: optional("bool", { default: true }),
      },
      { max: 1, computed: true },
    ),
    resources_monitoring: setOf(
      {},
      {
        max: 1,
        blocks: {
          memory: setOf({ enabled: required("bool"), threshold }, { max: 1 }),
          volume: setOf({
            path: required("string", { check: volumePath }),
            enabled: required("bool"),
            threshold,
          }),
        },
      },
    ),
  },
);

const defaultDisplayApps: Json = [
  {
    vscode: true,
    vscode_insiders: false,
    web_terminal: true,
    ssh_helper: true,
    port_forwarding_helper: true,
  },
];

function repeated(values: readonly Json[]): string | undefined {
  const known = values.filter((value): value is string => typeof value === "string");
  return known.find((value, i) => known.indexOf(value) !== i);
}

function planChecks(planned: Attributes): Problem[] {
  const key = repeated(blocksOf(planned["metadata"]).map((item) => item["key"] ?? null));
  const volumes = blocksOf(planned["resources_monitoring"]).flatMap((item) => blocksOf(item["volume"]));
  const path = repeated(volumes.map((volume) => volume["path"] ?? null));
  return [
    ...(key === undefined ? [] : [error(`duplicate agent metadata key ${JSON.stringify(key)}`)]),
    ...(path === undefined ? [] : [error(`duplicate volume path ${JSON.stringify(path)}`)]),
  ];
}

const noAgentId = createHash("sha256").update("").digest("hex");

/** `${ACCESS_URL}` is the root of the deployment. A text that is no absolute URL stays as it is. */
function rootOf(url: string): string {
  return URL.canParse(url) ? new URL("/", url).toString() : url;
}

/**
 * Made anew by each read, so that each build has its own token and whatever holds it is replaced. A claimed prebuild
 * keeps the token of its running agent.
 */
function live(state: Attributes, { env, url, rand }: ProviderContext): Attributes {
  const script = env[`CODER_AGENT_SCRIPT_${stringOf(state["os"])}_${stringOf(state["arch"])}`] ?? "";
  const displayApps = state["display_apps"];
  return {
    ...state,
    token: env[`CODER_RUNNING_WORKSPACE_AGENT_TOKEN_${noAgentId}`] || rand.uuid(),
    init_script: script
      .replaceAll("${ACCESS_URL}", () => rootOf(url))
      .replaceAll("${AUTH_TYPE}", () => stringOf(state["auth"])),
    display_apps:
      displayApps === undefined || items(displayApps).length === 0 ? defaultDisplayApps : displayApps,
  };
}

export const agent: ResourceDef = {
  version: 1,
  block,
  planChecks,
  create(planned, ctx) {
    const state = withNestedZeros(
      { ...planned, id: planned["id"] === unknown ? ctx.rand.uuid() : (planned["id"] ?? null) },
      block,
    );
    return { state: live(state, ctx), diagnostics: [] };
  },
  read: live,
};
