/**
 * What the dashboard's tests look at: a server in this process with two people, templates and workspaces of fixed names,
 * made through the API and built by the echo engine, and the dashboard built from its sources.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Client } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import type { Template } from "#codersdk/templates.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import {
  awaitBuild,
  awaitTemplateVersionJobCompleted,
  createTemplateVersion,
} from "#coderd/coderdtest/builds.ts";
import { newServer, testPassword, type TestServer } from "#coderd/coderdtest/coderdtest.ts";
import { siteFolder } from "#coderd/site/manifest.ts";
import type { EchoTemplate } from "#provisioner/echo/archive.ts";
import { eventually, repoRoot, tempDir } from "#testutil/testutil.ts";
import { buildSite } from "../../scripts/build-site.ts";

export interface Someone {
  readonly username: string;
  readonly email: string;
  readonly token: string;
  readonly client: Client;
  readonly organizationId: string;
}

export interface Scene {
  readonly server: TestServer;
  /** Owner of the deployment, with workspaces. */
  readonly ada: Someone;
  /** A member without anything. */
  readonly bob: Someone;
  readonly template: Template;
  /** Asks for parameters. */
  readonly choices: Template;
  /** Runs, with a real agent in it. */
  readonly dev: Workspace;
}

export { testPassword };

/** Kept between runs: building takes longer than most tests. */
const siteDir = join(repoRoot, "build/site-test");

export async function makeScene(t: TestContext): Promise<Scene> {
  await buildSite({ outDir: siteDir });
  const server = await newServer(t, { echo: true, coderd: { site: siteFolder(siteDir) } });
  const made = await server.client.call(contract.users.createFirstUser, {
    body: { email: "ada@example.com", username: "ada", name: "Ada Lovelace", password: testPassword },
  });
  const organizationId = made.organization_id;
  const ada = await signIn(server, "ada", organizationId);
  await ada.client.call(contract.users.create, {
    body: {
      email: "bob@example.com",
      username: "bob",
      password: testPassword,
      organization_ids: [organizationId],
    },
  });
  const bob = await signIn(server, "bob", organizationId);
  const template = await makeTemplate(ada, "docker", linux);
  await ada.client.call(contract.templates.update, {
    params: { template: template.id },
    body: { display_name: "Docker container", description: "A container with a home that survives restarts" },
  });
  const choices = await makeTemplate(ada, "choices", { files: { "main.tf": chooseTf }, graph: chooseGraph });
  const broken = await makeTemplate(ada, "broken", { ...linux, start: { apply: failing } });
  const dev = await makeWorkspace(ada, template, "dev");
  const api = await makeWorkspace(ada, template, "api");
  await stop(ada, api);
  await makeWorkspace(ada, broken, "experiment");
  await ada.client.call(contract.workspaces.favorite, { params: { workspace: dev.id } });
  await startAgent(t, server, ada, dev);
  return { server, ada, bob, template, choices, dev };
}

async function signIn(server: TestServer, username: string, organizationId: string): Promise<Someone> {
  const email = `${username}@example.com`;
  const client = await server.login(email);
  return { username, email, token: client.token ?? "", client, organizationId };
}

/** Each build of the template gets it, so only the newest can use it. */
const agentToken = "5c1e8a02-6f1b-4c55-9a55-0d2f6b1f7a11";

const linux: EchoTemplate = {
  parse: { readme: Buffer.from("# Docker container\n\nA **container** with a volume for `/home`.\n") },
  plan: {
    logs: ["Refreshing state…", "Plan: 2 to add, 0 to change, 0 to destroy."],
    answer: { plan: Buffer.from("{}") },
  },
  apply: { logs: ["docker_volume.home: Creating…", "docker_container.workspace: Creating…"], answer: {} },
  start: {
    graph: {
      resources: [
        {
          name: "workspace",
          type: "docker_container",
          agents: [
            {
              name: "main",
              operatingSystem: "linux",
              architecture: "amd64",
              directory: "/tmp",
              auth: { case: "token", value: agentToken },
              displayApps: { webTerminal: true, sshHelper: true, vscode: true },
              apps: [
                {
                  slug: "code",
                  displayName: "VS Code in the browser",
                  url: "http://127.0.0.1:13337",
                  sharingLevel: 0,
                },
                {
                  slug: "docs",
                  displayName: "Handbook",
                  url: "https://example.com/handbook",
                  external: true,
                },
              ],
            },
          ],
        },
        { name: "home", type: "docker_volume" },
      ],
    },
  },
};

const chooseTf = `
data "coder_parameter" "region" {
  name         = "region"
  display_name = "Region"
  description  = "Where the machine stands"
  default      = "eu"
  mutable      = false
  form_type    = "radio"
  option {
    name        = "Europe"
    value       = "eu"
    description = "Frankfurt"
  }
  option {
    name        = "America"
    value       = "us"
    description = "Ohio"
  }
}
data "coder_parameter" "cores" {
  name      = "cores"
  type      = "number"
  default   = 4
  mutable   = true
  form_type = "slider"
  validation {
    min = 1
    max = data.coder_parameter.region.value == "eu" ? 8 : 64
  }
}
data "coder_parameter" "gpu" {
  name      = "gpu"
  type      = "bool"
  default   = false
  mutable   = true
  form_type = "switch"
}
data "coder_parameter" "dotfiles" {
  name        = "dotfiles"
  description = "Address of a repository with your settings"
  default     = ""
  mutable     = true
}
`;

const chooseGraph: NonNullable<EchoTemplate["graph"]> = {
  parameters: [
    { name: "region", type: "string", defaultValue: "eu" },
    { name: "cores", type: "number", defaultValue: "4", mutable: true },
    { name: "gpu", type: "bool", defaultValue: "false", mutable: true },
    { name: "dotfiles", type: "string", defaultValue: "", mutable: true },
  ],
};

/** A process of its own, as in a workspace; ended after the tests. */
async function startAgent(
  t: TestContext,
  server: TestServer,
  who: Someone,
  workspace: Workspace,
): Promise<void> {
  const home = await tempDir(t);
  const child = spawn(process.execPath, [join(repoRoot, "src/cmd/coder.ts"), "agent"], {
    stdio: "ignore",
    env: {
      PATH: process.env["PATH"],
      HOME: home,
      PS1: "$ ",
      CODER_AGENT_URL: server.url,
      CODER_AGENT_TOKEN: agentToken,
      CODER_AGENT_LOG_DIR: home,
    },
  });
  t.after(async () => {
    const ended = once(child, "exit");
    if (child.exitCode === null && child.kill("SIGTERM")) await ended;
  });
  await eventually(
    "the agent is ready",
    async () => {
      const { latest_build: build } = await who.client.call(contract.workspaces.get, {
        params: { workspace: workspace.id },
      });
      const agents = build.resources.flatMap(({ agents: some }) => some ?? []);
      return agents.some(({ status, lifecycle_state: state }) => status === "connected" && state === "ready");
    },
    { timeoutMs: 30_000 },
  );
}

const failing = {
  logs: ["docker_container.workspace: Creating…"],
  answer: { error: "docker_container.workspace: image registry.example.com/dev:7 was not found" },
};

export async function makeTemplate(who: Someone, name: string, echo: EchoTemplate): Promise<Template> {
  const version = await createTemplateVersion(who, echo);
  await awaitTemplateVersionJobCompleted(who, version.id);
  await who.client.call(contract.templateversions.update, {
    params: { templateversion: version.id },
    body: { name: "v1", message: "First version" },
  });
  return who.client.call(contract.templates.create, {
    params: { organization: who.organizationId },
    body: {
      name,
      template_version_id: version.id,
      allow_user_cancel_workspace_jobs: true,
      disable_everyone_group_access: false,
      require_active_version: false,
      max_port_share_level: null,
      cors_behavior: null,
    },
  });
}

export async function makeWorkspace(who: Someone, template: Template, name: string): Promise<Workspace> {
  const made = await who.client.call(contract.workspaces.create, {
    params: { user: "me" },
    body: {
      template_id: template.id,
      template_version_id: zeroUuid,
      template_version_preset_id: zeroUuid,
      name,
    },
  });
  await awaitBuild(who, made.latest_build.id);
  return who.client.call(contract.workspaces.get, { params: { workspace: made.id } });
}

async function stop(who: Someone, workspace: Workspace): Promise<void> {
  const build = await who.client.call(contract.workspaces.createBuild, {
    params: { workspace: workspace.id },
    body: { transition: "stop", template_version_id: zeroUuid, template_version_preset_id: zeroUuid },
  });
  await awaitBuild(who, build.id);
}
