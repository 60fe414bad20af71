/** Names of relay regions as `coder ssh`, the VPN and the dashboard show them. */

export interface NamesInput {
  /** Region id → name, from the DERP map. */
  readonly regionNames: Readonly<Record<string, string>>;
  /** `<region>-v4` or `<region>-v6` → seconds. */
  readonly latency: Readonly<Record<string, number>>;
  /** Home region of the node; 0 = unknown. */
  readonly preferred: number;
  /** Region that the last ping went through; 0 = none. It is shown where the home is unknown. */
  readonly pingRegion: number;
}

export interface Names {
  readonly preferredName: string;
  readonly latencyNsByName: Readonly<Record<string, number>>;
}

export function namesOf(input: NamesInput): Names {
  const latencyNsByName: Record<string, number> = {};
  for (const [key, seconds] of Object.entries(input.latency)) {
    const [id = ""] = key.split("-");
    latencyNsByName[nameOf(input.regionNames, Number(id))] = Math.trunc(seconds * 1e9);
  }
  const region = input.pingRegion !== 0 ? input.pingRegion : input.preferred;
  return { preferredName: nameOf(input.regionNames, region), latencyNsByName };
}

function nameOf(names: Readonly<Record<string, string>>, id: number): string {
  return names[String(id)] ?? `Unnamed ${id}`;
}
