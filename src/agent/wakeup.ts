/** A condition variable for one process: waiters look again after each `wake`. */
export class Wakeup {
  #waiters = new Set<() => void>();

  wake(): void {
    const waiters = this.#waiters;
    this.#waiters = new Set();
    for (const resume of waiters) resume();
  }

  /** Resolves at the next `wake` or when the signal aborts; never rejects. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        signal.removeEventListener("abort", done);
        this.#waiters.delete(done);
        resolve();
      };
      signal.addEventListener("abort", done, { once: true });
      this.#waiters.add(done);
    });
  }
}
