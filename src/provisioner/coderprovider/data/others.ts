/** coder_external_auth, coder_git_auth (its name in old templates), coder_workspace_tags, coder_secret. */
import { error, notEmpty } from "../checks.ts";
import { computed, implicitId, optional, required, schema, stringOf } from "../define.ts";
import type { DataDef } from "../types.ts";

const accessToken = computed("string", { sensitive: true });

export const externalAuth: DataDef = {
  version: 1,
  block: schema({
    id: required("string", { check: notEmpty }),
    optional: optional("bool"),
    access_token: accessToken,
  }),
  read(config, { env }) {
    const token = env[`CODER_EXTERNAL_AUTH_ACCESS_TOKEN_${stringOf(config["id"])}`] ?? "";
    return { state: { ...config, access_token: token }, diagnostics: [] };
  },
};

export const gitAuth: DataDef = {
  version: 1,
  block: schema({ id: required("string", { check: notEmpty }), access_token: accessToken }),
  read(config, { env }) {
    const token = env[`CODER_GIT_AUTH_ACCESS_TOKEN_${stringOf(config["id"])}`] ?? "";
    return { state: { ...config, access_token: token }, diagnostics: [] };
  },
};

export const workspaceTags: DataDef = {
  version: 1,
  block: schema({ id: implicitId, tags: optional(["map", "string"]) }),
  read(config, { rand }) {
    return { state: { ...config, id: rand.uuid() }, diagnostics: [] };
  },
};

/** Secrets are not served in this line; templates that ask for one get an empty value, so that they plan. */
export const secret: DataDef = {
  version: 1,
  block: schema({
    id: implicitId,
    env: optional("string"),
    file: optional("string"),
    help_message: required("string"),
    value: computed("string", { sensitive: true }),
  }),
  read(config) {
    const env = stringOf(config["env"]);
    const file = stringOf(config["file"]);
    const one = (env === "") !== (file === "");
    return {
      state: { ...config, id: env === "" ? `file:${file}` : `env:${env}`, value: "" },
      diagnostics: one ? [] : [error("exactly one of `env` or `file` must be set")],
    };
  },
};
