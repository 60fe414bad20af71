/** An external provisioner daemon: builds workspaces away from the server, where the networks and credentials are. */
import { hostname } from "node:os";
import { version } from "#buildinfo/buildinfo.ts";
import type { ServeAddress } from "#provisionerd/connection.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { type AnyOption, option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { pinoLogger } from "#slog/slog.ts";
import { serverOptions } from "#coderd/deployment/options.ts";
import { homeOf, globals } from "../globals.ts";
import { UserError } from "../errors.ts";
import { orgOption } from "../organization.ts";
import { parsePairs } from "../parameters.ts";
import { openConfig } from "../session.ts";

const name = option(types.string, {
  flag: "name",
  env: "CODER_PROVISIONER_DAEMON_NAME",
  description: "Name of the daemon. Default: the machine's.",
});
const tag = option(types.strings, {
  flag: "tag",
  shorthand: "t",
  env: "CODER_PROVISIONERD_TAGS",
  description: "Tag (key=value) of jobs that this daemon takes. Not with a key, which has its own.",
});
const key = option(types.string, {
  flag: "key",
  env: "CODER_PROVISIONER_DAEMON_KEY",
  secret: true,
  description: "Provisioner key.",
});
const psk = option(types.string, {
  flag: "psk",
  env: "CODER_PROVISIONER_DAEMON_PSK",
  secret: true,
  description: "The deployment's pre-shared key.",
});
const cacheDir = option(types.string, {
  flag: "cache-dir",
  env: "CODER_CACHE_DIRECTORY",
  description: "Folder for what can be made again. Default: ~/.cache/coder.",
});
const { provisionerEngine } = serverOptions;

export const startCommand: Command = {
  use: "start",
  short: "Run a provisioner daemon.",
  options: [name, tag, key, psk, cacheDir, provisionerEngine, orgOption] satisfies AnyOption[],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const [{ ProvisionerDaemon }, { NotAuthorizedError, webSocketConnect }, { openJournal, startEngines }] =
      await Promise.all([
        import("#provisionerd/daemon.ts"),
        import("#provisionerd/connection.ts"),
        import("../engines.ts"),
      ]);
    const log = pinoLogger({ level: inv.get(globals.verbose) ? "debug" : "info" }).named("provisionerd");
    const address = await serveAddress(inv);
    const { clock, rand, env } = inv;
    const cache = inv.get(cacheDir) || `${homeOf(env)}/.cache/coder`;
    const engine = inv.get(provisionerEngine);
    const provisioners = await startEngines({
      engine,
      types: address.provisioners,
      cacheDir: cache,
      env,
      clock,
      rand,
      log,
    });
    const owner = `${address.url} ${address.organization} ${address.name}`;
    const journal = await openJournal({ cacheDir: cache, types: address.provisioners, log }, owner);
    log.info("starting provisioner daemon", { name: address.name, url: address.url });
    await using daemon = ProvisionerDaemon.start({
      connect: webSocketConnect(address, clock),
      provisioners,
      clock,
      rand,
      log,
      journal,
    });
    const stopped = new Promise<void>((resolve) => {
      if (inv.signal.aborted) resolve();
      inv.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    try {
      await Promise.race([stopped, daemon.done]);
    } catch (error) {
      if (error instanceof NotAuthorizedError) throw new UserError(error.message);
      throw error;
    }
    // Ctrl-C cancels the job that runs; a service manager's SIGTERM lets it end.
    const quick = inv.signal.reason instanceof Error && inv.signal.reason.message === "SIGINT";
    await daemon.shutdown({ cancelJob: quick });
  },
};

async function serveAddress(inv: Invocation): Promise<ServeAddress> {
  const config = openConfig(inv);
  const url = inv.get(globals.url) || (await config.read("url"));
  if (!url) throw new UserError("which server? Give --url, or sign in with 'coder login <url>'");
  const tags = Object.fromEntries(parsePairs(inv.get(tag)).map((pair) => [pair.name, pair.value]));
  return {
    url,
    organization: inv.get(orgOption) || "default",
    name: inv.get(name) || hostname().toLowerCase(),
    provisioners: ["terraform"],
    tags,
    buildVersion: version,
    credential: await credentialOf(inv),
  };
}

async function credentialOf(inv: Invocation): Promise<ServeAddress["credential"]> {
  const [byKey, byPsk] = [inv.get(key), inv.get(psk)];
  if (byKey !== "" && byPsk !== "") {
    throw new UserError("give a provisioner key or the pre-shared key, not both");
  }
  if (byKey !== "" && inv.values.isSet(tag)) {
    throw new UserError("a provisioner key has its own tags; --tag cannot be given with it");
  }
  if (byKey !== "") return { kind: "key", key: byKey };
  if (byPsk !== "") return { kind: "psk", psk: byPsk };
  const token = inv.get(globals.token) || (await openConfig(inv).read("session"));
  if (!token) throw new UserError("a daemon needs a credential: --key, --psk or a session of 'coder login'");
  return { kind: "session", token };
}
