/** UUIDs as text. Apart from the schemas, so that programs without them (the agent) need not load those. */

const uuidForm = /^(?:urn:uuid:)?\{?([0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12})\}?$/i;

/** Lower case with dashes; undefined if the text is no uuid. Braces, `urn:uuid:` and 32 bare digits are accepted. */
export function parseUuid(text: string): string | undefined {
  const hex = uuidForm.exec(text)?.[1]?.replaceAll("-", "").toLowerCase();
  if (hex === undefined) return undefined;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
