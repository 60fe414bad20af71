/** The state of a run, written to its file after every change: what a crash leaves is what was made. */
import { renameSync, writeFileSync } from "node:fs";
import type { State, StateInstance } from "./state.ts";
import { writeState } from "./state.ts";

export class StateStore {
  readonly state: State;
  readonly #path: string;

  constructor(state: State, path: string) {
    this.state = state;
    this.#path = path;
  }

  put(instance: StateInstance): void {
    this.state.instances.set(instance.address, instance);
    this.save();
  }

  /** The instance makes room for its successor and is destroyed later. */
  depose(address: string, id: string): void {
    const instance = this.state.instances.get(address);
    if (!instance) return;
    this.state.instances.delete(address);
    this.state.instances.set(`${address} ${id}`, { ...instance, deposed: id });
    this.save();
  }

  /** `deposed`: only the one that made room. */
  remove(address: string, deposed: boolean): void {
    for (const [id, instance] of this.state.instances) {
      if (instance.address === address && (instance.deposed !== undefined) === deposed) {
        this.state.instances.delete(id);
      }
    }
    this.save();
  }

  /** Whole file or none: written beside and renamed. */
  save(): void {
    this.state.serial += 1;
    const bytes = this.bytes();
    const draft = `${this.#path}.new`;
    writeFileSync(draft, bytes, { mode: 0o600 });
    renameSync(draft, this.#path);
  }

  bytes(): Buffer {
    return writeState(this.state);
  }
}
