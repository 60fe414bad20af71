/** coder_workspace_preset */
import { all, atLeast, atMostBytes, error, isUrl, notEmpty, shown } from "../checks.ts";
import { isTimeZone, overlapProblem, prebuildCronProblem } from "../cron.ts";
import {
  blocksOf,
  computed,
  listOf,
  optional,
  required,
  schema,
  setOf,
  stringOf,
  withNestedZeros,
} from "../define.ts";
import type { Attributes, Check, DataDef, Diagnostic } from "../types.ts";

const hour = 3600;
const year = 365 * 24 * hour;

const ttl: Check = (value, name) =>
  typeof value === "number" && (value === 0 || (value >= hour && value <= year))
    ? []
    : [error(`${JSON.stringify(name)} must be 0 or from ${hour} to ${year} seconds, got ${shown(value)}`)];

const timezone: Check = (value) =>
  isTimeZone(stringOf(value)) ? [] : [error(`the time zone ${JSON.stringify(value)} is not known`)];

const cron: Check = (value) => {
  const problem = prebuildCronProblem(stringOf(value));
  return problem === undefined
    ? []
    : [error(`${JSON.stringify(value)} is no schedule for prebuilds: ${problem}`)];
};

const block = schema(
  {
    id: computed("string"),
    name: required("string", { check: notEmpty }),
    description: optional("string", { check: atMostBytes(128) }),
    icon: optional("string", { check: all(isUrl, atMostBytes(256)) }),
    default: optional("bool", { default: false }),
    parameters: optional(["map", "string"]),
  },
  {
    prebuilds: setOf(
      { instances: required("number", { check: atLeast(0) }) },
      {
        max: 1,
        blocks: {
          expiration_policy: setOf({ ttl: required("number", { check: ttl }) }, { max: 1 }),
          scheduling: listOf(
            { timezone: required("string", { check: timezone }) },
            {
              max: 1,
              blocks: {
                schedule: listOf(
                  { cron: required("string", { check: cron }), instances: required("number") },
                  { min: 1 },
                ),
              },
            },
          ),
        },
      },
    ),
  },
);

function scheduleProblems(config: Attributes): Diagnostic[] {
  return blocksOf(config["prebuilds"])
    .flatMap((prebuilds) => blocksOf(prebuilds["scheduling"]))
    .flatMap((scheduling) => {
      const crons = blocksOf(scheduling["schedule"]).map((schedule) => stringOf(schedule["cron"]));
      const problem = overlapProblem(crons);
      return problem === undefined ? [] : [error(problem)];
    });
}

export const preset: DataDef = {
  version: 1,
  block,
  read(config) {
    const state = withNestedZeros({ ...config, id: config["name"] ?? null }, block);
    // Without the block the set is null, as upstream's provider leaves what it never sets.
    const none = blocksOf(config["prebuilds"]).length === 0 ? { prebuilds: null } : {};
    return { state: { ...state, ...none }, diagnostics: scheduleProblems(config) };
  },
};
