/**
 * The dashboard's files in memory. coderd.ts makes one, routes.ts serves it. The folder may appear after the server has
 * started (boot builds it meanwhile) and may be built again while it runs: each look at the index reads the small
 * manifest, and loads the rest when that has changed. Files of the build before stay known, because pages that are open
 * load parts of it later.
 */
import type { SiteFile, SiteManifest, SiteSource } from "./manifest.ts";

export type Encoding = "br" | "gzip" | "identity";

export interface Asset {
  readonly type: string;
  /** Quoted, for each form. */
  readonly etags: Readonly<Record<Encoding, string>>;
  readonly bytes: Readonly<Record<Encoding, Uint8Array>>;
}

export interface LoadedSite {
  readonly index: string;
  readonly inlineScriptHash: string;
  readonly assets: ReadonlyMap<string, Asset>;
}

export class Site {
  readonly #source: SiteSource;
  #manifest = "";
  #loaded: LoadedSite | undefined;
  #previous: LoadedSite | undefined;

  constructor(source: SiteSource) {
    this.#source = source;
  }

  /** Undefined as long as nothing is built. */
  async current(): Promise<LoadedSite | undefined> {
    const bytes = await this.#source.read("manifest.json");
    if (bytes === undefined) return this.#loaded;
    const text = new TextDecoder().decode(bytes);
    if (text === this.#manifest) return this.#loaded;
    const loaded = await load(this.#source, text);
    if (loaded === undefined) return this.#loaded;
    this.#previous = this.#loaded;
    this.#loaded = loaded;
    this.#manifest = text;
    return loaded;
  }

  async asset(path: string): Promise<Asset | undefined> {
    const known = this.#loaded?.assets.get(path) ?? this.#previous?.assets.get(path);
    return known ?? (await this.current())?.assets.get(path);
  }
}

/** Undefined if a file is missing: the folder is being replaced. */
async function load(source: SiteSource, manifestText: string): Promise<LoadedSite | undefined> {
  const manifest = parseManifest(manifestText);
  const index = await source.read("index.html");
  const assets = await Promise.all(
    manifest.files.map(async (file) => [file.path, await loadAsset(source, file)] as const),
  );
  const complete = new Map<string, Asset>();
  for (const [path, asset] of assets) {
    if (asset === undefined) return undefined;
    complete.set(path, asset);
  }
  if (index === undefined) return undefined;
  return {
    index: new TextDecoder().decode(index),
    inlineScriptHash: manifest.inlineScriptHash,
    assets: complete,
  };
}

async function loadAsset(source: SiteSource, { path, type, hash }: SiteFile): Promise<Asset | undefined> {
  const [identity, br, gzip] = await Promise.all(["", ".br", ".gz"].map((form) => source.read(path + form)));
  if (identity === undefined || br === undefined || gzip === undefined) return undefined;
  return {
    type,
    bytes: { identity, br, gzip },
    etags: { identity: `"${hash}"`, br: `"${hash}-br"`, gzip: `"${hash}-gzip"` },
  };
}

function parseManifest(text: string): SiteManifest {
  // Written by our own build, beside the code that it serves.
  const value = JSON.parse(text) as SiteManifest;
  if (!Array.isArray(value.files) || typeof value.inlineScriptHash !== "string") {
    throw new Error("the dashboard's manifest.json has another form than this server reads");
  }
  return value;
}

/** The best form that the client takes: brotli, then gzip. */
export function chooseEncoding(acceptEncoding: string | undefined): Encoding {
  const weights = new Map<string, number>();
  for (const part of (acceptEncoding ?? "").split(",")) {
    const [name = "", ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith("q="));
    weights.set(name, quality === undefined ? 1 : Number(quality.slice(2)));
  }
  const takes = (name: string): boolean => (weights.get(name) ?? weights.get("*") ?? 0) > 0;
  if (takes("br")) return "br";
  return takes("gzip") ? "gzip" : "identity";
}

/** Whether the client's copy is still good (RFC 9110 §13.1.2). */
export function noneMatch(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === "*") return true;
  return ifNoneMatch.split(",").some((one) => one.trim().replace(/^W\//, "") === etag);
}
