/** coder_app */
import { atMostBytes, isUrl, matches, oneOf, warning } from "../checks.ts";
import { implicitId, isSet, optional, required, schema, setOf, withNestedZeros } from "../define.ts";
import { unknown, type Attributes, type Problem, type ResourceDef } from "../types.ts";

const block = schema(
  {
    id: implicitId,
    agent_id: required("string"),
    slug: required("string", {
      check: matches(
        /^[a-z0-9](-?[a-z0-9])*$/,
        "lower-case letters and digits with single hyphens between them",
      ),
    }),
    display_name: optional("string", { check: atMostBytes(64) }),
    group: optional("string", { check: atMostBytes(64) }),
    tooltip: optional("string", { check: atMostBytes(2048) }),
    icon: optional("string", { check: isUrl }),
    command: optional("string", { conflicts: ["url", "subdomain"] }),
    url: optional("string", { conflicts: ["command"] }),
    external: optional("bool", {
      default: false,
      conflicts: ["healthcheck", "command", "subdomain", "share"],
    }),
    subdomain: optional("bool"),
    share: optional("string", { default: "owner", check: oneOf("owner", "authenticated", "public") }),
    hidden: optional("bool", { default: false }),
    order: optional("number"),
    open_in: optional("string", { default: "slim-window", check: oneOf("tab", "slim-window") }),
  },
  {
    healthcheck: setOf(
      { url: required("string"), interval: required("number"), threshold: required("number") },
      { max: 1, conflicts: ["command"] },
    ),
  },
);

/** What a hidden app shows nowhere. */
function createChecks(planned: Attributes): Problem[] {
  if (planned["hidden"] !== true) return [];
  return ["display_name", "icon", "order"]
    .filter((name) => isSet(planned[name]) && planned[name] !== "" && planned[name] !== 0)
    .map((name) => warning(`\`${name}\` has no effect: the app is hidden`));
}

export const app: ResourceDef = {
  version: 1,
  block,
  create(planned, { rand }) {
    const id = planned["id"] === unknown ? rand.uuid() : (planned["id"] ?? null);
    return { state: withNestedZeros({ ...planned, id }, block), diagnostics: createChecks(planned) };
  },
};
