/**
 * The agent's lifecycle: states in order, only forward, each reported with its time and none left out, over however
 * many connections that takes (spec agent §8).
 */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Lifecycle_State } from "#rpc/gen/agent_pb.js";
import type { AgentConnection } from "#codersdk/agentsdk/dial.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import { Wakeup } from "./wakeup.ts";

export type LifecycleState =
  | "created"
  | "starting"
  | "start_timeout"
  | "start_error"
  | "ready"
  | "shutting_down"
  | "shutdown_timeout"
  | "shutdown_error"
  | "off";

/** In order; `created` is where every agent begins and is never reported. */
const wire = {
  created: Lifecycle_State.CREATED,
  starting: Lifecycle_State.STARTING,
  start_timeout: Lifecycle_State.START_TIMEOUT,
  start_error: Lifecycle_State.START_ERROR,
  ready: Lifecycle_State.READY,
  shutting_down: Lifecycle_State.SHUTTING_DOWN,
  shutdown_timeout: Lifecycle_State.SHUTDOWN_TIMEOUT,
  shutdown_error: Lifecycle_State.SHUTDOWN_ERROR,
  off: Lifecycle_State.OFF,
} satisfies Readonly<Record<LifecycleState, Lifecycle_State>>;

export class Lifecycle {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #history: { readonly state: LifecycleState; readonly at: Date }[] = [];
  readonly #wakeup = new Wakeup();
  #reported = 0;

  constructor(options: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = options.clock;
    this.#log = options.log;
  }

  get state(): LifecycleState {
    return this.#history.at(-1)?.state ?? "created";
  }

  /** Steps back are dropped: a start that ends while the agent shuts down must not make it ready. */
  set(state: LifecycleState): void {
    if (wire[state] <= wire[this.state]) {
      this.#log.warn("lifecycle does not go back", { from: this.state, to: state });
      return;
    }
    this.#history.push({ state, at: this.#clock.now() });
    this.#log.info("lifecycle", { state });
    this.#wakeup.wake();
  }

  /** Reports until the signal aborts; throws when the server cannot be told, to go on in the next connection. */
  async report(api: AgentConnection["agent"], signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const next = this.#history[this.#reported];
      if (!next) {
        await this.#wakeup.wait(signal);
        continue;
      }
      const changedAt = timestampFromDate(next.at);
      await api.updateLifecycle({ lifecycle: { state: wire[next.state], changedAt } }, { signal });
      this.#reported++;
      this.#wakeup.wake();
    }
  }

  /** Resolves when everything so far is acknowledged, or the signal aborts. */
  async reported(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#reported < this.#history.length) await this.#wakeup.wait(signal);
  }
}
