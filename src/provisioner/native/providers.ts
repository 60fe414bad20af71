/** Provider blocks of the root module → what their types need. Evaluated before anything is read or planned. */
import * as v from "#preview/cty/value.ts";
import { headRange } from "#preview/hcl/ast.ts";
import { type Diagnostic, HclError } from "#preview/hcl/source.ts";
import type { ModuleConfig } from "#preview/module/config.ts";
import type { Evaluator } from "#preview/module/evaluator.ts";
import type { ConfigGraph } from "#preview/module/graph.ts";
import { decodeBody } from "./decode.ts";
import { dockerAccess, type DockerAccess, dockerProviderSchema } from "./docker/access.ts";
import { dockerProvider } from "./docker/define.ts";
import type { State } from "./state.ts";

const isDocker = (type: string): boolean => type.startsWith("docker_");

export function usesDocker(graph: ConfigGraph, state: State): boolean {
  return (
    [...graph.nodes.values()].some(({ resource }) => resource !== undefined && isDocker(resource.type)) ||
    [...state.instances.values()].some(({ mode, type }) => mode === "managed" && isDocker(type))
  );
}

/**
 * The daemon that the `docker` block names, once it has answered: a template that cannot work fails while it is
 * imported. Undefined after an error, which is in `diagnostics`.
 */
export async function configureDocker(
  evaluator: Evaluator,
  env: Readonly<Record<string, string | undefined>>,
  diagnostics: Diagnostic[],
): Promise<DockerAccess | undefined> {
  const root: ModuleConfig = evaluator.root.config;
  const block = root.providers.find(({ labels }) => labels[0] === "docker");
  const fail = (summary: string, error: unknown): undefined => {
    diagnostics.push({
      severity: "error",
      summary,
      detail: error instanceof Error ? error.message : String(error),
      range: block ? headRange(block) : undefined,
      address: `provider[${JSON.stringify(dockerProvider)}]`,
    });
  };
  try {
    let config: v.Value | undefined;
    if (block) {
      const scope = evaluator.scope(evaluator.root);
      const decoded = decodeBody(block.body, dockerProviderSchema, scope, headRange(block));
      diagnostics.push(...decoded.diagnostics);
      if (decoded.diagnostics.some(({ severity }) => severity === "error")) return undefined;
      if (!v.isWhollyKnown(decoded.config)) {
        return fail("Unknown provider configuration", "It depends on what is known only after an apply.");
      }
      config = v.unmarkDeep(decoded.config);
    }
    const access = dockerAccess(config, env);
    if (!access.unchecked) await access.client.ping();
    return access;
  } catch (error) {
    if (error instanceof HclError) diagnostics.push(error.diagnostic);
    else fail("Docker cannot be used", error);
    return undefined;
  }
}
