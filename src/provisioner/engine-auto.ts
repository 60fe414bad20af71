/**
 * Chooses the engine of a job (CODER_PROVISIONER_ENGINE): the built-in one where it knows the whole template and all
 * that is in the state, else Terraform. The choice falls before the first effect; why it fell on Terraform stands in
 * the job's log.
 */
import type { Engine, EngineSession } from "#provisionersdk/engine.ts";
import { LogLevel } from "#rpc/gen/provisionersdk_pb.js";

export type EngineSetting = "auto" | "native" | "terraform";

/** What the built-in engine does not know, each as one line with its place. Empty means that it knows all. */
export type Unknowns = readonly string[];

export interface AutoEngineOptions {
  readonly setting: EngineSetting;
  readonly native: Engine;
  readonly terraform: Engine;
  /** Looks at an unpacked template. */
  readonly unknownInTemplate: (dir: string) => Promise<Unknowns> | Unknowns;
  /** Looks at a state; not asked for an empty one. */
  readonly unknownInState: (state: Uint8Array) => Promise<Unknowns> | Unknowns;
}

/** More reasons than these help nobody. */
const shownReasons = 10;

function shown(unknowns: Unknowns): string {
  const more = unknowns.length - shownReasons;
  return [...unknowns.slice(0, shownReasons), ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

export function autoEngine(options: AutoEngineOptions): Engine {
  const { setting, native, terraform } = options;
  if (setting === "terraform") return terraform;
  const chosen = new WeakMap<EngineSession, Engine>();
  const engineOf = (session: EngineSession): Engine => chosen.get(session) ?? native;

  /** Fails where the setting is `native`; else lets Terraform begin, and says why. */
  async function leaveToTerraform(
    session: EngineSession,
    unknowns: Unknowns,
    request: Parameters<Engine["init"]>[1],
  ): ReturnType<Engine["init"]> {
    const reasons = shown(unknowns);
    if (setting === "native") {
      return {
        error: `the built-in engine does not know all of this: ${reasons}. With CODER_PROVISIONER_ENGINE=auto Terraform is used for it.`,
      };
    }
    session.emit(LogLevel.INFO, `Terraform is used, because the built-in engine does not know: ${reasons}`);
    const answer = await terraform.init(session, request);
    const error = answer.error ?? "";
    if (error === "") chosen.set(session, terraform);
    return error === "" ? answer : { ...answer, error: `${error} (Terraform is needed for: ${reasons})` };
  }

  /** The request of the session's init, for a change of engine when the state is seen. */
  const inits = new WeakMap<EngineSession, Parameters<Engine["init"]>[1]>();

  return {
    async init(session, request) {
      const unknowns = await options.unknownInTemplate(session.files);
      if (unknowns.length > 0) return leaveToTerraform(session, unknowns, request);
      inits.set(session, request);
      return native.init(session, request);
    },
    parse: (session, request) => engineOf(session).parse(session, request),
    async plan(session, request) {
      const init = inits.get(session);
      if (init && engineOf(session) === native && request.state.length > 0) {
        const unknowns = await options.unknownInState(request.state);
        if (unknowns.length > 0) {
          const { error } = await leaveToTerraform(session, unknowns, { ...init, omitModuleFiles: true });
          if (error) return { error };
        }
      }
      return engineOf(session).plan(session, request);
    },
    apply: (session, request) => engineOf(session).apply(session, request),
    graph: (session, request) => engineOf(session).graph(session, request),
  };
}
