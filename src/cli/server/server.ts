import { homeOf } from "../globals.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { allServerOptions, serverOptions as o } from "#coderd/deployment/options.ts";
import { optionName, yamlKey } from "#serpent/option.ts";
import { openConfig } from "../session.ts";

export const serverCommand: Command = {
  use: "server",
  short: "Run a server.",
  long: "Without a PostgreSQL of yours the server runs its own. Everything it keeps is in the configuration folder.",
  options: allServerOptions,
  args: { min: 0, max: 0 },
  async handler(inv) {
    if (inv.get(o.writeConfig)) {
      inv.stdout.write(await configText(inv));
      return;
    }
    const [{ startServer }, { serverLogger }] = await Promise.all([import("./run.ts"), import("./log.ts")]);
    const config = openConfig(inv);
    const { env, clock, rand, signal, values } = inv;
    const say = (line: string): void => void inv.stdout.write(`${line}\n`);
    const log = serverLogger(values);
    await using server = await startServer({
      values,
      stateDir: config.path,
      cacheDir: inv.get(o.cacheDir) || env["CACHE_DIRECTORY"] || `${homeOf(env)}/.cache/coder`,
      env,
      clock,
      rand,
      log,
      signal,
      say,
    });
    say(`Started HTTP listener at ${server.coderd.url}`);
    say(`View the Web UI: ${server.coderd.accessUrl}`);
    if (await lacksFirstUser(server.coderd.url)) {
      say("No user exists yet. On this machine: coder login " + server.coderd.url);
      say(`From another machine add: --header Coder-Setup-Secret=${server.coderd.setupSecret}`);
    }
    say("==> Logs will stream in below (press ctrl+c to gracefully exit):");
    // A command line of the same account finds the server.
    await config.write("url", server.coderd.url);
    await aborted(signal);
    say("Shutting down API server...");
  },
};

async function lacksFirstUser(url: string): Promise<boolean> {
  const response = await fetch(`${url}/api/v2/users/first`);
  await response.body?.cancel();
  return response.status === 404;
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** All options as YAML: description, then key and value. Secrets are left out. */
async function configText(inv: Invocation): Promise<string> {
  const { Document, isMap } = await import("yaml");
  const document = new Document({});
  for (const option of allServerOptions) {
    const key = yamlKey(option);
    if (key === undefined || option.secret) continue;
    const path = key.split(".");
    document.setIn(
      path,
      option.type.name === "duration" ? option.type.format(inv.get(option)) : inv.get(option),
    );
    const parent = document.getIn(path.slice(0, -1), true) ?? document.contents;
    const pair = isMap(parent) ? parent.items.find((item) => String(item.key) === path.at(-1)) : undefined;
    if (pair) {
      const node = document.createNode(path.at(-1) ?? optionName(option));
      node.commentBefore = ` ${option.description ?? ""} (${option.type.name})`;
      pair.key = node;
    }
  }
  return document.toString();
}
