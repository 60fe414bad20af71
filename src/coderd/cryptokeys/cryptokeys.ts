/**
 * The deployment's signing keys: rotates them, and knows them (spec apps §11). coderd.ts starts one per replica; whoever
 * signs or verifies asks it. All replicas share the keys through the database, so a token holds after a restart and on
 * every replica.
 *
 *     await using keys = await CryptoKeys.start({ store, ctx, rand, clock, log });
 *     keys.signing("tailnet_resume")                    the key of now
 *     await keys.verifying("tailnet_resume", "3")       the key that a token names; undefined if there is none
 */
import type { Clock } from "#quartz/clock.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { CryptoKey, CryptoKeyFeature } from "../database/gen/models.gen.ts";
import { actors } from "../rbac/actors.ts";
import { features, isOver, planRotation, signingKey } from "./rotation.ts";

export interface CryptoKeysOptions {
  readonly store: Pick<AuthzStore, "inTx" | "getCryptoKeys">;
  /** Lives as long as the server. */
  readonly ctx: Ctx;
  readonly clock: Clock;
  readonly rand: Rand;
}

export interface Key {
  /** What tokens call it: its number. */
  readonly id: string;
  readonly secret: Buffer;
}

const intervalMs = 10 * 60_000;
/** Tokens that name unknown keys are cheap to make: the database is not asked more often than this. */
const missSpacingMs = 1_000;
const lockName = "crypto-key-rotation";

const allFeatures: readonly CryptoKeyFeature[] = [
  "workspace_apps_token",
  "workspace_apps_api_key",
  "oidc_convert",
  "tailnet_resume",
];

export class CryptoKeys implements AsyncDisposable {
  readonly #options: CryptoKeysOptions;
  readonly #ctx: Ctx;
  readonly #stop = new AbortController();
  #keys: readonly CryptoKey[] = [];
  #reading: Promise<void> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> = Promise.resolve();

  private constructor(options: CryptoKeysOptions) {
    this.#options = options;
    this.#ctx = options.ctx.as(actors.keyRotator, "makes, reads and removes signing keys");
  }

  /** Every feature has a key when this returns. */
  static async start(options: CryptoKeysOptions): Promise<CryptoKeys> {
    const keys = new CryptoKeys(options);
    await keys.#turn();
    keys.#running = keys.#run();
    return keys;
  }

  /** Throws where the database could not be reached for so long that every key has ended. */
  signing(feature: CryptoKeyFeature): Key {
    const key = signingKey(this.#of(feature), this.#options.clock.now());
    if (!key) throw new Error(`there is no key of ${feature} to sign with`);
    return toKey(key);
  }

  /** Also one that has not started yet: replicas' clocks differ. An unknown one is looked for in the database. */
  async verifying(feature: CryptoKeyFeature, id: string): Promise<Key | undefined> {
    if (!/^[1-9]\d{0,8}$/.test(id)) return undefined;
    const known = this.#find(feature, id);
    if (known) return known;
    await this.#readAfterMiss();
    return this.#find(feature, id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the server shuts down"));
    await this.#running;
  }

  #of(feature: CryptoKeyFeature): CryptoKey[] {
    return this.#keys.filter((key) => key.feature === feature);
  }

  #find(feature: CryptoKeyFeature, id: string): Key | undefined {
    const now = this.#options.clock.now();
    const key = this.#of(feature).find(({ sequence }) => String(sequence) === id);
    return key && !isOver(key, now) ? toKey(key) : undefined;
  }

  /** One read at a time, and not one for each forged token. */
  async #readAfterMiss(): Promise<void> {
    if (this.#reading) return this.#reading;
    if (this.#options.clock.monotonic() - this.#readAt < missSpacingMs) return;
    this.#reading = this.#read()
      .catch((error: unknown) => this.#ctx.log.warn("cannot read signing keys", { error }))
      .finally(() => (this.#reading = undefined));
    await this.#reading;
  }

  async #read(): Promise<void> {
    this.#readAt = this.#options.clock.monotonic();
    this.#keys = await this.#options.store.getCryptoKeys(this.#ctx, {});
  }

  async #run(): Promise<void> {
    const wait = { signal: this.#stop.signal, tag: "crypto-keys", unref: true };
    for await (const _ of this.#options.clock.ticks(intervalMs, wait)) {
      try {
        await this.#turn();
      } catch (error) {
        if (!this.#stop.signal.aborted) this.#ctx.log.error("cannot rotate signing keys", { error });
      }
    }
  }

  /** Rotates, one replica after the other, then reads what there is now. */
  async #turn(): Promise<void> {
    const { store, rand, clock } = this.#options;
    const ctx = this.#ctx;
    await store.inTx(ctx, {}, async (tx) => {
      await tx.lock(lockName);
      const now = clock.now();
      const keys = await tx.getCryptoKeys(ctx, {});
      for (const feature of allFeatures) {
        const own = keys.filter((key) => key.feature === feature);
        const { remove, insert, retire } = planRotation(feature, own, now);
        for (const { sequence } of remove) await tx.deleteCryptoKeySecret(ctx, { feature, sequence });
        if (retire) {
          const { key, deletesAt } = retire;
          await tx.updateCryptoKeyDeletesAt(ctx, { feature, sequence: key.sequence, deletesAt });
        }
        if (insert) {
          const secret = rand.bytes(features[feature].bytes).toString("hex");
          await tx.insertCryptoKey(ctx, { feature, secret, startsAt: insert.startsAt });
          ctx.log.info("made a signing key", { feature, starts_at: insert.startsAt });
        }
      }
    });
    await this.#read();
  }
}

const toKey = ({ sequence, secret }: CryptoKey): Key => ({
  id: String(sequence),
  secret: Buffer.from(secret ?? "", "hex"),
});
