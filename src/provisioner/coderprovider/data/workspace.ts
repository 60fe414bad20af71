/** coder_workspace, coder_workspace_owner, coder_task, coder_provisioner: the build as the template sees it. */
import { error } from "../checks.ts";
import { computed, implicitId, schema } from "../define.ts";
import { taskId } from "../resources/others.ts";
import type { DataDef, Diagnostic, Json, ProviderContext } from "../types.ts";

const text = computed("string");
const secret = computed("string", { sensitive: true });
const number = computed("number");
const bool = computed("bool");

function isTrue(value: string | undefined): boolean {
  return value?.toLowerCase() === "true";
}

function portOf(url: string): number {
  if (!URL.canParse(url)) return 80;
  const { port, protocol } = new URL(url);
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

/** A build of a workspace knows its template; an import does not. */
function templateProblems({ env }: ProviderContext): Diagnostic[] {
  if (!env["CODER_WORKSPACE_BUILD_ID"]) return [];
  const facts = [
    ["template ID", "CODER_WORKSPACE_TEMPLATE_ID"],
    ["template name", "CODER_WORKSPACE_TEMPLATE_NAME"],
    ["template version", "CODER_WORKSPACE_TEMPLATE_VERSION"],
  ] as const;
  return facts
    .filter(([, variable]) => !env[variable])
    .slice(0, 1)
    .map(([what, variable]) => error(`${what} is missing: ${variable} is required`));
}

export const workspace: DataDef = {
  version: 1,
  block: schema({
    id: implicitId,
    name: text,
    transition: text,
    start_count: number,
    prebuild_count: number,
    is_prebuild: bool,
    is_prebuild_claim: bool,
    access_url: text,
    access_port: number,
    template_id: text,
    template_name: text,
    template_version: text,
  }),
  read(config, ctx) {
    const { env, url, rand } = ctx;
    const transition = env["CODER_WORKSPACE_TRANSITION"] || "start";
    const isClaim = isTrue(env["CODER_WORKSPACE_IS_PREBUILD_CLAIM"]);
    const isPrebuild = isTrue(env["CODER_WORKSPACE_IS_PREBUILD"]) && !isClaim;
    return {
      state: {
        ...config,
        id: env["CODER_WORKSPACE_ID"] || rand.uuid(),
        name: env["CODER_WORKSPACE_NAME"] || "default",
        transition,
        start_count: transition === "start" ? 1 : 0,
        prebuild_count: isPrebuild ? 1 : 0,
        is_prebuild: isPrebuild,
        is_prebuild_claim: isClaim,
        access_url: url,
        access_port: portOf(url),
        template_id: env["CODER_WORKSPACE_TEMPLATE_ID"] ?? "",
        template_name: env["CODER_WORKSPACE_TEMPLATE_NAME"] ?? "",
        template_version: env["CODER_WORKSPACE_TEMPLATE_VERSION"] ?? "",
      },
      diagnostics: templateProblems(ctx),
    };
  },
};

/** A JSON list in a variable: null where the variable is absent. Throws an Error that names what is wrong. */
function listVariable(value: string | undefined, element: (item: unknown) => Json): Json {
  if (value === undefined) return null;
  const list: unknown = JSON.parse(value);
  if (list === null) return [];
  if (!Array.isArray(list)) throw new Error("it is no list");
  return list.map(element);
}

function textElement(item: unknown): Json {
  if (typeof item !== "string") throw new Error("an element is no text");
  return item;
}

function roleElement(item: unknown): Json {
  if (typeof item !== "object" || item === null) throw new Error("an element is no object");
  const member = (name: string): string => {
    const value: unknown = Object.entries(item).find(([key]) => key === name)?.[1];
    if (value !== undefined && typeof value !== "string") throw new Error(`${name} is no text`);
    return value ?? "";
  };
  return { name: member("name"), org_id: member("org_id") };
}

function listOrProblem(
  what: string,
  value: string | undefined,
  element: (item: unknown) => Json,
): { list: Json; problems: Diagnostic[] } {
  try {
    return { list: listVariable(value, element), problems: [] };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return { list: null, problems: [error(`invalid user ${what}: ${reason}`)] };
  }
}

export const workspaceOwner: DataDef = {
  version: 0,
  block: schema({
    id: text,
    name: text,
    full_name: text,
    email: text,
    ssh_public_key: text,
    ssh_private_key: secret,
    groups: computed(["list", "string"]),
    session_token: secret,
    oidc_access_token: secret,
    login_type: text,
    rbac_roles: computed(["list", ["object", { name: "string", org_id: "string" }]]),
  }),
  read(config, { env, rand }) {
    const groups = listOrProblem("groups", env["CODER_WORKSPACE_OWNER_GROUPS"], textElement);
    const roles = listOrProblem("rbac roles", env["CODER_WORKSPACE_OWNER_RBAC_ROLES"], roleElement);
    return {
      state: {
        ...config,
        id: env["CODER_WORKSPACE_OWNER_ID"] || rand.uuid(),
        name: env["CODER_WORKSPACE_OWNER"] || "default",
        full_name: env["CODER_WORKSPACE_OWNER_NAME"] || "default",
        email: env["CODER_WORKSPACE_OWNER_EMAIL"] || "default@example.com",
        ssh_public_key: env["CODER_WORKSPACE_OWNER_SSH_PUBLIC_KEY"] ?? "",
        ssh_private_key: env["CODER_WORKSPACE_OWNER_SSH_PRIVATE_KEY"] ?? "",
        groups: groups.list,
        session_token: env["CODER_WORKSPACE_OWNER_SESSION_TOKEN"] ?? "",
        oidc_access_token: env["CODER_WORKSPACE_OWNER_OIDC_ACCESS_TOKEN"] ?? "",
        login_type: env["CODER_WORKSPACE_OWNER_LOGIN_TYPE"] || null,
        rbac_roles: roles.list,
      },
      diagnostics: [...groups.problems, ...roles.problems].slice(0, 1),
    };
  },
};

export const task: DataDef = {
  version: 0,
  block: schema({ id: text, prompt: text, enabled: bool }),
  read(config, ctx) {
    const id = taskId(ctx);
    const prompt = ctx.env["CODER_TASK_PROMPT"] ?? "";
    return {
      state: { ...config, id: id ?? ctx.rand.uuid(), prompt, enabled: id !== undefined },
      diagnostics: [],
    };
  },
};

export const provisioner: DataDef = {
  version: 1,
  block: schema({ id: implicitId, os: text, arch: text }),
  read(config, { rand, os, arch }) {
    return {
      state: { ...config, id: rand.uuid(), os, arch: arch === "arm" ? "armv7" : arch },
      diagnostics: [],
    };
  },
};
