/** The small resources: script, env, metadata, dev container, agent instance, external agent, AI task. */
import { atLeast, error, isUrl, isUuid, matches, notEmpty, oneOf, warning } from "../checks.ts";
import { looksLikeUnixCron, scriptCronProblem } from "../cron.ts";
import {
  blocksOf,
  computed,
  implicitId,
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
  type BlockSchema,
  type Check,
  type Json,
  type Problem,
  type ProviderContext,
  type ResourceDef,
} from "../types.ts";

/** Gives unknown names fresh ids; diagnoses as `checks` says. */
function plain(
  version: number,
  block: BlockSchema,
  options: {
    readonly fresh?: readonly string[];
    readonly checks?: (planned: Attributes) => readonly Problem[];
  } = {},
): ResourceDef {
  return {
    version,
    block,
    create(planned, { rand }) {
      const state: Record<string, Json> = { ...planned };
      for (const name of ["id", ...(options.fresh ?? [])]) {
        if (state[name] === unknown) state[name] = rand.uuid();
      }
      return { state: withNestedZeros(state, block), diagnostics: options.checks?.(planned) ?? [] };
    },
  };
}

export const agentInstance = plain(
  0,
  schema({ id: implicitId, agent_id: required("string"), instance_id: required("string") }),
);

export const externalAgent = plain(1, schema({ id: implicitId, agent_id: required("string") }));

export const devcontainer = plain(
  1,
  schema({
    id: implicitId,
    agent_id: required("string"),
    workspace_folder: required("string", { check: notEmpty }),
    config_path: optional("string"),
    subagent_id: computed("string"),
  }),
  { fresh: ["subagent_id"] },
);

export const env = plain(
  1,
  schema({
    id: implicitId,
    agent_id: required("string"),
    name: required("string", {
      check: matches(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "the name of an environment variable"),
    }),
    value: optional("string"),
    merge_strategy: optional("string", {
      default: "replace",
      check: oneOf("replace", "append", "prepend", "error"),
    }),
  }),
);

const scriptCron: Check = (value) => {
  const text = stringOf(value);
  const problem = scriptCronProblem(text);
  if (problem !== undefined) {
    return [error(`${JSON.stringify(text)} is not a valid cron expression: ${problem}`)];
  }
  if (!looksLikeUnixCron(text)) return [];
  return [
    warning(
      `The cron expression ${JSON.stringify(text)} has five fields, as in a crontab. Here the first field is the second: put "0 " before it to run it when that crontab would.`,
    ),
  ];
};

function scriptChecks(planned: Attributes): Problem[] {
  const onStart = planned["run_on_start"] === true;
  const out: Problem[] = [];
  if (!onStart && planned["run_on_stop"] !== true && stringOf(planned["cron"]) === "") {
    out.push(error('at least one of "run_on_start", "run_on_stop", or "cron" must be set'));
  }
  if (planned["start_blocks_login"] === true && !onStart) {
    out.push(error('"start_blocks_login" can only be set if "run_on_start" is "true"'));
  }
  return out;
}

export const script = plain(
  1,
  schema({
    id: implicitId,
    agent_id: required("string"),
    display_name: required("string"),
    script: required("string"),
    icon: optional("string", { check: isUrl }),
    log_path: optional("string"),
    cron: optional("string", { check: scriptCron }),
    start_blocks_login: optional("bool", { default: false }),
    run_on_start: optional("bool", { default: false }),
    run_on_stop: optional("bool", { default: false }),
    timeout: optional("number", { default: 0, check: atLeast(1) }),
  }),
  { checks: scriptChecks },
);

const metadataBlock = schema(
  {
    id: implicitId,
    resource_id: required("string"),
    hide: optional("bool"),
    icon: optional("string", { check: isUrl }),
    daily_cost: optional("number"),
  },
  {
    item: listOf({
      key: required("string"),
      value: optional("string"),
      sensitive: optional("bool", { default: false }),
      is_null: computed("bool"),
    }),
  },
);

export const metadata: ResourceDef = {
  version: 1,
  block: metadataBlock,
  planChecks(planned) {
    const keys = blocksOf(planned["item"]).map((item) => item["key"]);
    const twice = keys.find((key, i) => typeof key === "string" && keys.indexOf(key) !== i);
    return typeof twice === "string"
      ? [error(`duplicate resource metadata key ${JSON.stringify(twice)}`)]
      : [];
  },
  create(planned, { rand }) {
    const item = blocksOf(planned["item"]).map((one) => ({ ...one, is_null: one["value"] === null }));
    const id = planned["id"] === unknown ? rand.uuid() : (planned["id"] ?? null);
    return { state: withNestedZeros({ ...planned, id, item }, metadataBlock), diagnostics: [] };
  },
};

/** Undefined where there is no task: the nil UUID means none. */
export function taskId({ env: vars }: ProviderContext): string | undefined {
  const id = vars["CODER_TASK_ID"] ?? "";
  const none = isUuid(id, "").length > 0 || id === "00000000-0000-0000-0000-000000000000";
  return none ? undefined : id;
}

export const aiTask: ResourceDef = {
  version: 1,
  block: schema(
    {
      id: computed("string"),
      app_id: optional("string", { computed: true, check: isUuid, conflicts: ["sidebar_app"] }),
      prompt: computed("string"),
      enabled: computed("bool"),
    },
    {
      sidebar_app: setOf(
        { id: required("string", { check: isUuid }) },
        { max: 1, conflicts: ["app_id"], deprecated: "sidebar_app is deprecated: use app_id." },
      ),
    },
  ),
  create(planned, ctx) {
    const id = taskId(ctx);
    const appId = stringOf(planned["app_id"]) || stringOf(blocksOf(planned["sidebar_app"])[0]?.["id"]);
    const prompt = ctx.env["CODER_TASK_PROMPT"] || null;
    return {
      state: { ...planned, id: id ?? ctx.rand.uuid(), app_id: appId, prompt, enabled: id !== undefined },
      diagnostics: appId === "" ? [error("'app_id' must be set")] : [],
    };
  },
};
