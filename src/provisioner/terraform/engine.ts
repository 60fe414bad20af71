/**
 * The engine that runs the Terraform binary. The session server (provisionersdk/session.ts) calls it, one session a
 * job. It keeps the files of a session in its folder only, shares nothing but the plugin cache between sessions, and
 * gives back the state that is on disk on every kind of end.
 */
import type { Engine } from "#provisionersdk/engine.ts";
import { parseTemplate } from "../parse.ts";
import { TerraformHost, type TerraformEngineOptions } from "./host.ts";
import { timed } from "./run.ts";
import { apply } from "./steps/apply.ts";
import { graph } from "./steps/graph.ts";
import { init } from "./steps/init.ts";
import { plan } from "./steps/plan.ts";

export function terraformEngine(options: TerraformEngineOptions): Engine {
  const host = new TerraformHost(options);
  return {
    init: (session, request) => timed(session, "init", () => init(host, session, request)),
    parse: async ({ files }) => parseTemplate(files),
    plan: (session, request) => timed(session, "plan", () => plan(host, session, request)),
    apply: (session, request) => timed(session, "apply", () => apply(host, session, request)),
    graph: (session, request) => timed(session, "graph", () => graph(host, session, request)),
  };
}
