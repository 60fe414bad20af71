/**
 * Resume tokens (spec network §4): a client that comes back shows one and keeps its peer id, so that tunnels survive.
 * JWS compact, HS512, header `kid`, claims exactly `sub` (peer id) and `exp` (seconds).
 */
import { createHmac, timingSafeEqual } from "node:crypto";

const lifeSeconds = 24 * 3600;
const refreshSeconds = 12 * 3600;
const leewaySeconds = 60;
const maxToken = 1024;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export interface ResumeKey {
  readonly id: string;
  readonly secret: Buffer;
}

export interface ResumeToken {
  readonly token: string;
  readonly refreshInSeconds: number;
  readonly expiresAt: Date;
}

/** "absent" = a token that names no key: as if none had come. */
export type ResumeVerdict =
  | { readonly kind: "valid"; readonly peerId: string }
  | { readonly kind: "absent" }
  | { readonly kind: "invalid" };

export function signResumeToken(key: ResumeKey, peerId: string, now: Date): ResumeToken {
  const exp = Math.floor(now.getTime() / 1000) + lifeSeconds;
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = `${part({ alg: "HS512", kid: key.id })}.${part({ exp, sub: peerId })}`;
  const token = `${body}.${mac(key.secret, body).toString("base64url")}`;
  return { token, refreshInSeconds: refreshSeconds, expiresAt: new Date(exp * 1000) };
}

/** The key that a token names, so that it can be fetched; undefined where it names none. Nothing is proved by it. */
export function resumeKeyId(token: string): string | undefined {
  if (token.length > maxToken) return undefined;
  const kid = parse(token.split(".", 1)[0] ?? "")?.["kid"];
  return typeof kid === "string" && kid !== "" ? kid : undefined;
}

export function verifyResumeToken(keys: readonly ResumeKey[], token: string, now: Date): ResumeVerdict {
  const invalid = { kind: "invalid" } as const;
  const [head, claims, signature, ...rest] = token.split(".");
  if (token.length > maxToken || !head || !claims || !signature || rest.length > 0) return invalid;
  const header = parse(head);
  const body = parse(claims);
  if (!header || header["alg"] !== "HS512") return invalid;
  if (header["kid"] === undefined || header["kid"] === "") return { kind: "absent" };
  const key = keys.find(({ id }) => id === header["kid"]);
  if (!key || !body) return invalid;
  const expected = mac(key.secret, `${head}.${claims}`);
  const actual = Buffer.from(signature, "base64url");
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) return invalid;
  const { exp, sub } = { exp: body["exp"], sub: body["sub"] };
  if (typeof exp !== "number" || now.getTime() / 1000 > exp + leewaySeconds) return invalid;
  if (typeof sub !== "string" || !uuid.test(sub.toLowerCase())) return invalid;
  return { kind: "valid", peerId: sub.toLowerCase() };
}

function mac(secret: Buffer, text: string): Buffer {
  return createHmac("sha512", secret).update(text).digest();
}

function parse(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return Object.fromEntries(Object.entries(value));
  } catch {
    return undefined;
  }
}
