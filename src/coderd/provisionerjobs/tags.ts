/** Tags of daemons and jobs (spec provisioning §2.3). `scope` and `owner` always exist. */

export type Tags = Readonly<Record<string, string>>;

/** Merges from left to right (an empty value never overrides) and settles scope and owner for this user. */
export function normalizeTags(userId: string, ...sets: readonly Tags[]): Tags {
  const out: Record<string, string> = {};
  for (const set of sets) {
    for (const [key, value] of Object.entries(set)) {
      if (value !== "" || out[key] === undefined) out[key] = value;
    }
  }
  const personal = out["scope"] === "user";
  return { ...out, scope: personal ? "user" : "organization", owner: personal ? userId : "" };
}
