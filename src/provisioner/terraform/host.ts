/** What the steps of the Terraform engine share: the binary, environments, the plugin cache, graphs by session. */
import { resolve } from "node:path";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { EngineSession } from "#provisionersdk/engine.ts";
import type { AgentScripts } from "../coderprovider/environment.ts";
import { baseEnv, goPlatform } from "./environment.ts";
import { checkTerraform, findTerraform, isAtLeast, type Terraform } from "./locate.ts";
import { PluginCache } from "./plugin-cache.ts";
import { capture, type RunContext } from "./run.ts";

export interface TerraformEngineOptions {
  /** Path of the binary; "" takes the one on PATH. */
  readonly binary: string;
  /** The daemon's environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder for what several builds use: providers, in a folder of its own below it. */
  readonly cacheDir: string;
  readonly agentScripts: AgentScripts;
  readonly rand: Rand;
  /** As Node names it. */
  readonly machine: { readonly platform: string; readonly arch: string };
}

type Variables = Readonly<Record<string, string>>;

/** `graph` has known the graph of a plan by name since then; before, it was the only one. */
const graphTypeSince = "1.7.0";

export class TerraformHost {
  readonly options: TerraformEngineOptions;
  /** Environment of every command. */
  readonly base: Variables;
  readonly cache: PluginCache;
  /** Sessions whose workspace has nothing that could be destroyed. */
  readonly empty = new WeakSet<EngineSession>();
  readonly #platform: { readonly os: string; readonly arch: string };
  readonly #dots = new WeakMap<EngineSession, Promise<string>>();
  readonly #versions = new Map<string, Promise<Terraform>>();

  constructor(options: TerraformEngineOptions) {
    this.options = options;
    this.base = baseEnv(options.env);
    this.cache = new PluginCache(resolve(options.cacheDir, "terraform", "plugins"));
    this.#platform = goPlatform(options.machine);
  }

  /** Throws a TerraformMissing where there is none that can be used. */
  async terraform({ clock, files, killed }: EngineSession): Promise<Terraform> {
    const path = await findTerraform({ setting: this.options.binary, path: this.base["PATH"] ?? "" });
    const run = { env: this.base, cwd: files, clock, signal: killed };
    const known = this.#versions.get(path) ?? checkTerraform(path, run);
    this.#versions.set(path, known);
    // A binary that could not be asked is asked again: it may have been repaired.
    known.catch(() => this.#versions.delete(path));
    return known;
  }

  /** `env` is what the process sees, `providerEnv` what only our provider sees. */
  async context(session: EngineSession, env = this.base, providerEnv: Variables = {}): Promise<RunContext> {
    const terraform = await this.terraform(session);
    return { session, terraform, env, providerEnv, rand: this.options.rand, platform: this.#platform };
  }

  /** The graph follows from the configuration alone: once a session, beside another command that only reads. */
  dotOf(session: EngineSession): Promise<string> {
    const known = this.#dots.get(session);
    if (known) return known;
    const made = this.context(session).then((run) => {
      const type = isAtLeast(run.terraform.version, graphTypeSince) ? ["-type=plan"] : [];
      return capture(run, ["graph", ...type]);
    });
    this.#dots.set(session, made);
    made.catch(() => this.#dots.delete(session));
    return made;
  }
}
