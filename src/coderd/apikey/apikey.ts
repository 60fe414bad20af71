/** Makes keys: sessions and tokens. Used by sign-in, by the keys domain and by whoever acts for a user. Pure but for chance. */
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { InsertApiKeyArg } from "../database/gen/apikeys.gen.ts";
import type { LoginType } from "../database/gen/models.gen.ts";
import { sha256 } from "../httpmw/authenticate.ts";

export interface NewKey {
  readonly userId: string;
  readonly loginType: LoginType;
  readonly lifetimeMs: number;
  readonly now: Date;
  readonly ip: string;
  readonly tokenName?: string;
  readonly scopes?: readonly string[];
  readonly allowList?: readonly string[];
}

export interface MadeKey {
  /** For the caller, once. */
  readonly token: string;
  readonly row: InsertApiKeyArg;
}

/** Lifetimes of the deployment, in milliseconds. */
export interface SessionTimes {
  readonly sessionMs: number;
  /** Of keys and tokens whose maker does not say. */
  readonly defaultTokenMs: number;
  readonly maxTokenMs: number;
  readonly maxAdminTokenMs: number;
}

export const defaultSessionTimes: SessionTimes = {
  sessionMs: 24 * 3_600_000,
  defaultTokenMs: 7 * 24 * 3_600_000,
  maxTokenMs: 876_600 * 3_600_000,
  maxAdminTokenMs: 7 * 24 * 3_600_000,
};

export function makeKey(rand: Rand, key: NewKey): MadeKey {
  const id = rand.string(10);
  const secret = rand.string(22);
  return {
    token: `${id}-${secret}`,
    row: {
      id,
      hashedSecret: sha256(secret),
      userId: key.userId,
      loginType: key.loginType,
      tokenName: key.tokenName ?? "",
      scopes: key.scopes ?? ["coder:all"],
      allowList: key.allowList ?? ["*:*"],
      lifetimeSeconds: Math.floor(key.lifetimeMs / 1000),
      ipAddress: key.ip === "" ? "0.0.0.0" : key.ip,
      createdAt: key.now,
      updatedAt: key.now,
      expiresAt: new Date(key.now.getTime() + key.lifetimeMs),
    },
  };
}
