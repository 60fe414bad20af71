/** Environment of an agent: extra variables by their merge strategies in order, then the agent's own on top. Pure. */
import type { Env } from "#rpc/gen/provisionersdk_pb.js";

export function mergeEnvironment(
  extra: readonly Env[],
  own: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const out = new Map<string, string>();
  for (const { name, value, mergeStrategy } of extra) {
    const old = out.get(name) ?? "";
    switch (mergeStrategy) {
      case "append":
        out.set(name, old === "" ? value : `${old}:${value}`);
        break;
      case "prepend":
        out.set(name, old === "" ? value : `${value}:${old}`);
        break;
      case "error":
        if (out.has(name)) {
          throw new Error(
            `duplicate env var "${name}": merge_strategy is "error" but variable is already defined`,
          );
        }
        out.set(name, value);
        break;
      default:
        out.set(name, value);
    }
  }
  for (const [name, value] of Object.entries(own)) out.set(name, value);
  return Object.fromEntries(out);
}
