/**
 * Password hashes: `$pbkdf2-sha256$<rounds>$<salt>$<key>`, base64 without padding. The work runs on libuv's four threads,
 * which files and names share, so at most two at a time; a full queue is `Unavailable`.
 */
import { pbkdf2, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { Rand } from "#cryptorand/cryptorand.ts";
import { Unavailable } from "../errors.ts";

const derive = promisify(pbkdf2);

const rounds = 65_535;
const saltBytes = 16;
const keyBytes = 64;
const maxRunning = 2;
const maxWaiting = 200;

const base64 = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");

export interface PasswordHasherOptions {
  readonly rand: Rand;
  /** Tests lower it. */
  readonly rounds?: number;
}

export class PasswordHasher {
  readonly #rand: Rand;
  readonly #rounds: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #dummy: Promise<string> | undefined;

  constructor(options: PasswordHasherOptions) {
    this.#rand = options.rand;
    this.#rounds = options.rounds ?? rounds;
  }

  async hash(password: string): Promise<string> {
    return this.#format(password, this.#rounds, this.#rand.bytes(saltBytes));
  }

  /**
   * Whether the password is the one of the hash. An empty hash (unknown account, other login type) costs as much as any
   * other, so that time does not tell who exists.
   */
  async matches(hash: string, password: string): Promise<boolean> {
    this.#dummy ??= this.hash(this.#rand.string(32));
    const stored = hash === "" ? await this.#dummy : hash;
    const [, scheme, count, salt] = stored.split("$");
    const storedRounds = Number(count);
    if (scheme !== "pbkdf2-sha256" || !Number.isSafeInteger(storedRounds) || storedRounds < 1) {
      throw new Error("stored password hash has an unknown form");
    }
    const computed = await this.#format(password, storedRounds, Buffer.from(salt ?? "", "base64"));
    const same =
      computed.length === stored.length && timingSafeEqual(Buffer.from(computed), Buffer.from(stored));
    return same && hash !== "";
  }

  /** Whether the hash was made with fewer rounds than new ones are. */
  isOld(hash: string): boolean {
    return Number(hash.split("$")[2]) < this.#rounds;
  }

  async #format(password: string, count: number, salt: Buffer): Promise<string> {
    const key = await this.#limited(() => derive(password, salt, count, keyBytes, "sha256"));
    return `$pbkdf2-sha256$${count}$${base64(salt)}$${base64(key)}`;
  }

  async #limited<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= maxRunning) {
      if (this.#waiting.length >= maxWaiting) {
        throw new Unavailable("Too many sign-ins at once. Try again soon.");
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // The place goes to the one who waits longest, so `running` changes only when nobody does.
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
