/** Placeholders of the recordings: bound where they first appear, the same everywhere after (reference README). */
import { cryptoRand } from "#cryptorand/cryptorand.ts";

/** What the replay's own addresses are. */
export interface Places {
  readonly url: string;
  readonly idp: string;
}

const bound: Readonly<Record<string, string>> = {
  uuid: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
  UUID: "[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}",
  token: "[0-9A-Za-z]{10}-[0-9A-Za-z]{22}",
  keyid: "[0-9A-Za-z]{10}",
  secret: "[0-9A-Za-z_.-]+",
  jwt: "[\\w-]+\\.[\\w-]+\\.[\\w-]+",
  sha256: "[0-9a-f]{64}|[A-Za-z0-9+/=_-]{43,44}",
  sha1: "[0-9a-f]{40}",
};

const time = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?(?:Z|[+-]\\d\\d:\\d\\d)";

const free: Readonly<Record<string, string>> = {
  time,
  gotime: ".+",
  date: ".+",
  csrf: ".+?",
  csp: ".+",
  pkce: "[\\w~.-]+",
  state: "[^&;\\s]*",
  code: "[^&;\\s]+",
  string: "[\\s\\S]+",
  any: "[\\s\\S]*",
  "ssh-private-key": "[\\s\\S]+",
  "ssh-public-key": "[\\s\\S]+",
  hostname: ".+",
};

const placeholder = /\{([a-zA-Z0-9-]+)(?::(\d+))?\}|\{text of \d+ characters\}/g;

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

export class Values {
  readonly #bound = new Map<string, string>();
  readonly #last = new Map<string, string>();
  readonly #places: Places;

  constructor(places: Places) {
    this.#places = places;
  }

  get(kind: string, n: string): string | undefined {
    if (kind === "UUID") return this.#bound.get(`uuid:${n}`)?.toUpperCase();
    return this.#bound.get(`${kind}:${n}`);
  }

  bind(kind: string, n: string, value: string): void {
    this.#bound.set(
      kind === "UUID" ? `uuid:${n}` : `${kind}:${n}`,
      kind === "UUID" ? value.toLowerCase() : value,
    );
    if (kind === "token") this.#bound.set(`keyid:${n}`, value.slice(0, 10));
  }

  /** What `{state}`, `{code}` and `{pkce}` stand for in later requests. */
  remember(kind: string, value: string): void {
    this.#last.set(kind, value);
  }

  #place(name: string): string | undefined {
    const { url, idp } = this.#places;
    const values: Readonly<Record<string, string>> = {
      url,
      idp,
      host: new URL(url).host,
      "url-encoded": encodeURIComponent(url),
      "idp-encoded": encodeURIComponent(idp),
      "host-encoded": encodeURIComponent(new URL(url).host),
    };
    return values[name];
  }

  /** A request's text with everything filled in; values never seen are made. */
  fill(text: string): string {
    return text
      .replaceAll(placeholder, (whole, name: string | undefined, n: string | undefined) => {
        if (name === undefined) return whole;
        if (n !== undefined && name in bound) return this.get(name, n) ?? this.#make(name, n);
        return this.#place(name) ?? this.#last.get(name) ?? whole;
      })
      .replaceAll(/\{(now|midnight)([+-]\d+)([smhd])\}/g, (_, from: string, count: string, unit: string) => {
        const ms = Number(count) * ({ s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit] ?? 0);
        const now = Date.now();
        const base = from === "now" ? now : now - (now % 86_400_000);
        return new Date(base + ms).toISOString().replace(/\.\d+Z$/, "Z");
      });
  }

  #make(kind: string, n: string): string {
    const made: Readonly<Record<string, () => string>> = {
      uuid: () => cryptoRand.uuid(),
      UUID: () => cryptoRand.uuid().toUpperCase(),
      token: () => `${cryptoRand.string(10)}-${cryptoRand.string(22)}`,
      keyid: () => cryptoRand.string(10),
    };
    const value = made[kind]?.() ?? cryptoRand.string(43);
    this.bind(kind, n, value);
    return value;
  }

  /** Whether `actual` is what the recording says; binds what it sees for the first time. */
  matches(expected: string, actual: string): boolean {
    const names: { readonly kind: string; readonly n: string | undefined }[] = [];
    let source = "";
    let at = 0;
    for (const match of expected.matchAll(placeholder)) {
      const [whole, name, n] = match;
      const pattern = this.#pattern(name, n, names);
      if (pattern === undefined) continue;
      source += escaped(expected.slice(at, match.index)) + pattern;
      at = match.index + whole.length;
    }
    source += escaped(expected.slice(at));
    const found = new RegExp(`^${source}$`).exec(actual);
    if (found === null) return false;
    names.forEach(({ kind, n }, index) => {
      const value = found[index + 1] ?? "";
      if (n !== undefined) this.bind(kind, n, value);
      else this.remember(kind, value);
    });
    return true;
  }

  #pattern(
    name: string | undefined,
    n: string | undefined,
    names: { kind: string; n: string | undefined }[],
  ): string | undefined {
    if (name === undefined) return "[\\s\\S]*";
    if (n !== undefined && name in bound) {
      const known = this.get(name, n);
      if (known !== undefined) return escaped(known);
      const earlier = names.findIndex((other) => other.kind === name && other.n === n);
      if (earlier >= 0) return `\\${earlier + 1}`;
      names.push({ kind: name, n });
      return `(${bound[name]})`;
    }
    const place = this.#place(name);
    if (place !== undefined) return escaped(place);
    if (!(name in free)) return undefined;
    if (name === "state" || name === "code" || name === "pkce") {
      names.push({ kind: name, n: undefined });
      return `(${free[name]})`;
    }
    return `(?:${free[name]})`;
  }
}
