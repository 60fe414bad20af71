/** Short messages about what was done; shown for a few seconds and read by screen readers. */
import type { Clock } from "./clock.ts";
import { Store } from "./store.ts";

export interface Toast {
  readonly id: number;
  readonly kind: "info" | "error";
  readonly text: string;
}

const shownMs = 6000;

export class Toasts extends Store<readonly Toast[]> {
  readonly #clock: Clock;
  #next = 1;

  constructor(clock: Clock) {
    super([]);
    this.#clock = clock;
  }

  show(text: string, kind: Toast["kind"] = "info"): void {
    const toast = { id: this.#next++, kind, text };
    this.set([...this.get().slice(-3), toast]);
    this.#clock.after(shownMs, () => this.close(toast.id));
  }

  fail(cause: unknown): void {
    this.show(cause instanceof Error ? cause.message : String(cause), "error");
  }

  close(id: number): void {
    this.set(this.get().filter((toast) => toast.id !== id));
  }
}
