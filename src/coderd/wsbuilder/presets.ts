/** Presets of a template version against the values of a build (spec lifecycle §8.4). Pure. */
import { Invalid } from "../errors.ts";
import type { NamedValue } from "./parameters.ts";

export interface PresetFacts {
  readonly id: string;
  readonly name: string;
  readonly isDefault: boolean;
  readonly values: readonly NamedValue[];
}

/** The preset that was asked for, if any was. */
export function choosePreset(
  presets: readonly PresetFacts[],
  presetId: string | undefined,
): PresetFacts | undefined {
  if (presetId === undefined) return undefined;
  const preset = presets.find(({ id }) => id === presetId);
  if (!preset) throw new Invalid("The preset does not belong to this template version.");
  return preset;
}

/** The one whose values are all among the given ones: most values first, then the default one, then by name. */
export function matchingPreset(
  presets: readonly PresetFacts[],
  given: readonly NamedValue[],
): PresetFacts | undefined {
  const byName = new Map(given.map(({ name, value }) => [name, value]));
  const [best] = presets
    .filter(({ values }) => values.every(({ name, value }) => byName.get(name) === value))
    .toSorted(
      (a, b) =>
        b.values.length - a.values.length ||
        Number(b.isDefault) - Number(a.isDefault) ||
        (a.name < b.name ? -1 : 1),
    );
  return best;
}
