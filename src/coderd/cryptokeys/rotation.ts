/**
 * When keys come and go (spec apps §11). Pure: the rows that there are and the time give what is to be done.
 *
 *     starts ──────────────── 30 days ────────────────► expires = the next one's start ── 1 h + life ──► deletes
 *
 * A key signs from its start until its successor starts; it verifies until it is deleted, which is when the last token
 * that it can have signed has ended.
 */
import type { CryptoKey, CryptoKeyFeature } from "../database/gen/models.gen.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const keyLifeMs = 30 * 24 * hourMs;
/** So early before a key's end its successor is made, so that every replica knows it in time. */
const aheadMs = hourMs;
/** A successor never signs before every replica can have read it. */
const noticeMs = 30 * minuteMs;
const spareMs = hourMs;

interface Feature {
  readonly bytes: number;
  /** Longest life of what the key signs. */
  readonly tokenLifeMs: number;
}

export const features: Readonly<Record<CryptoKeyFeature, Feature>> = {
  workspace_apps_token: { bytes: 64, tokenLifeMs: minuteMs },
  workspace_apps_api_key: { bytes: 32, tokenLifeMs: minuteMs },
  oidc_convert: { bytes: 64, tokenLifeMs: 5 * minuteMs },
  tailnet_resume: { bytes: 64, tokenLifeMs: 24 * hourMs },
};

export interface Rotation {
  /** Keys that nobody may need any more. */
  readonly remove: readonly CryptoKey[];
  readonly insert?: { readonly startsAt: Date };
  /** The newest before the inserted one, and when it goes. */
  readonly retire?: { readonly key: CryptoKey; readonly deletesAt: Date };
}

/** `keys`: those of the feature that have their secret, in any order. */
export function planRotation(feature: CryptoKeyFeature, keys: readonly CryptoKey[], now: Date): Rotation {
  const remove = keys.filter((key) => isOver(key, now));
  const [newest] = keys.filter((key) => !isOver(key, now)).toSorted((a, b) => b.sequence - a.sequence);
  if (!newest) return { remove, insert: { startsAt: now } };
  const expires = newest.startsAt.getTime() + keyLifeMs;
  // One that is to be deleted has its successor; it is the newest only if that was removed by hand.
  const due = newest.deletesAt !== null || expires - now.getTime() <= aheadMs;
  if (!due) return { remove };
  const startsAt = new Date(Math.max(expires, now.getTime() + noticeMs));
  const deletesAt = new Date(startsAt.getTime() + spareMs + features[feature].tokenLifeMs);
  return { remove, insert: { startsAt }, retire: { key: newest, deletesAt } };
}

export const isOver = ({ deletesAt }: CryptoKey, now: Date): boolean =>
  deletesAt !== null && deletesAt <= now;

/** The key to sign with: the newest that has started and is not over. */
export function signingKey(keys: readonly CryptoKey[], now: Date): CryptoKey | undefined {
  return keys
    .filter((key) => key.startsAt <= now && !isOver(key, now))
    .toSorted((a, b) => b.sequence - a.sequence)[0];
}
