/**
 * `npm start`: a server from a clone that proves itself. On an empty state it makes an administrator, the starter
 * template and a workspace, runs one command in it over ssh, and prints what it did; later starts continue where the
 * last one was. Needs no terminal. Ctrl-C or SIGTERM ends server, database and local agents.
 */
import { join, resolve } from "node:path";
import { type Client, newClient } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import { allServerOptions, serverOptions as o } from "#coderd/deployment/options.ts";
import type { World } from "#serpent/command.ts";
import { resolve as resolveOptions, type Values } from "#serpent/resolve.ts";
import { configDir, type ConfigDir } from "../config.ts";
import { globals } from "../globals.ts";
import { main } from "../main.ts";
import { root as program } from "../root.ts";
import { aborted } from "../server/server.ts";
import type { RunningServer } from "../server/run.ts";
import { startBlock, type Proof } from "./block.ts";
import { claimInstance } from "./instance.ts";
import { stopLocalAgents } from "./localagents.ts";
import { findOnMachine } from "./machine.ts";
import { pickPort } from "./port.ts";

export const starterTemplate = "local";
export const starterWorkspace = "dev";
const administrator = "admin";
const proofCommand = "echo ok";

export interface StartOptions {
  /** Root of the clone. */
  readonly root: string;
  /** Command line of this clone's `coder`, which local agents run. */
  readonly coder: readonly string[];
  readonly world: World;
}

export async function startClone({ root, coder, world }: StartOptions): Promise<void> {
  const { env, clock, signal, stdout } = world;
  const state = join(root, ".coder");
  using instance = claimInstance(state);
  const config = configDir(resolve(env["CODER_CONFIG_DIR"] ?? join(state, "config")));
  const workspaces = join(state, "workspaces");
  const values = await optionsFor(state, env);
  const machine = findOnMachine(env);
  await using server = await serve({ coder, state, workspaces, values, world });
  const { url } = server.coderd;
  instance.announce(url);
  await config.write("url", url);
  const first = await isFirst(newClient({ url }));
  const loginLink = first ? await setUp(server, config, world) : undefined;
  const proof = first ? await prove(root, world, config) : undefined;
  if (!signal.aborted) {
    stdout.write(
      startBlock({
        url,
        loginLink,
        workspace: starterWorkspace,
        proof,
        machine: await machine,
        stateDir: state,
      }),
    );
  }
  await aborted(signal);
  stdout.write("\nStopping…\n");
  await stopLocalAgents(workspaces, { clock });
}

/** The server's options from the environment; port and places are the clone's unless somebody chose others. */
async function optionsFor(state: string, env: NodeJS.ProcessEnv): Promise<Values> {
  const chosen = { ...env };
  chosen["CODER_HTTP_ADDRESS"] ??= `127.0.0.1:${await pickPort(state)}`;
  chosen["CODER_LOGGING_HUMAN"] ??= join(state, "server.log");
  return resolveOptions({ options: [globals.verbose, ...allServerOptions], env: chosen, flags: [] });
}

interface Serve {
  readonly coder: readonly string[];
  readonly state: string;
  readonly workspaces: string;
  readonly values: Values;
  readonly world: World;
}

async function serve({ coder, state, workspaces, values, world }: Serve): Promise<RunningServer> {
  const [{ startServer }, { serverLogger }] = await Promise.all([
    import("../server/run.ts"),
    import("../server/log.ts"),
  ]);
  const { clock, rand, signal, stdout } = world;
  const agent = [...coder, "agent"];
  return await startServer({
    values,
    stateDir: state,
    cacheDir: values.get(o.cacheDir) || join(state, "cache"),
    env: {
      ...world.env,
      CODER_LOCAL_AGENT: agent.map(quote).join(" "),
      CODER_LOCAL_WORKSPACES: workspaces,
    },
    clock,
    rand,
    log: serverLogger(values),
    signal,
    say: (line) => stdout.write(`${line}\n`),
  });
}

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

async function isFirst(client: Client): Promise<boolean> {
  const { status } = await client.answer(contract.users.hasFirstUser).catch((error: unknown) => {
    if (error instanceof Error && "status" in error && error.status === 404) return { status: 404 };
    throw error;
  });
  return status === 404;
}

/** Makes the administrator and signs the clone's command line in as him. Gives a link that signs a browser in once. */
async function setUp(server: RunningServer, config: ConfigDir, { rand, signal }: World): Promise<string> {
  const anonymous = newClient({ url: server.coderd.url });
  const email = `${administrator}@localhost.localdomain`;
  // Nobody needs to know it: the link and the command line sign in, and he may set one of his own.
  const password = rand.string(32);
  await anonymous.call(contract.users.createFirstUser, {
    body: { email, username: administrator, password },
    signal,
  });
  const { session_token: token } = await anonymous.call(contract.users.login, {
    body: { email, password },
    signal,
  });
  const client = anonymous.withToken(token);
  const { key } = await client.call(contract.apikeys.createKey, { params: { user: "me" }, signal });
  await config.write("session", key);
  return (await client.call(contract.users.createLoginLink, { params: { user: "me" }, signal })).url;
}

/** The whole path, as a user goes it: push the template, create the workspace, run a command in it over ssh. */
async function prove(root: string, world: World, config: ConfigDir): Promise<Proof | undefined> {
  const step = async (args: readonly string[], stdout = world.stdout): Promise<void> => {
    const env = { ...world.env, CODER_CONFIG_DIR: config.path };
    const status = await main(args, { ...world, env, stdout }, program);
    if (status !== 0) throw new Error(`coder ${args[0]} ended with status ${status}`);
  };
  await step([
    "templates",
    "push",
    starterTemplate,
    "--directory",
    join(root, "examples", starterTemplate),
    "--yes",
  ]);
  const begin = world.clock.monotonic();
  await step([
    "create",
    starterWorkspace,
    "--template",
    starterTemplate,
    "--use-parameter-defaults",
    "--yes",
  ]);
  const { PassThrough } = await import("node:stream");
  const out = new PassThrough();
  const chunks: Buffer[] = [];
  out.on("data", (chunk: Buffer) => chunks.push(chunk));
  await step(["ssh", starterWorkspace, "--", proofCommand], out);
  const seconds = (world.clock.monotonic() - begin) / 1000;
  return { command: proofCommand, answer: Buffer.concat(chunks).toString("utf8").trim(), seconds };
}
