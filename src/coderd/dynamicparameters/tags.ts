/** Tags that a template asks for by `coder_workspace_tags` (spec provisioning §2.3, §12.5). Pure. */
import type { PreviewTagBlock } from "#preview/dynamic/wire.ts";
import type { ValidationError } from "#codersdk/response.ts";
import { Invalid } from "../errors.ts";
import type { Tags } from "../provisionerjobs/tags.ts";

/** Who a job is for is not the template's to say. */
const reserved = new Set(["scope", "owner"]);

/** All usable tags; throws `message` with what is wrong with the others, by tag. */
export function templateTags(blocks: readonly PreviewTagBlock[], message: string): Tags {
  const problems: ValidationError[] = [];
  const out: Record<string, string> = {};
  for (const { tags } of blocks) {
    for (const { key, value, value_diagnostics: found } of tags) {
      const [first] = found;
      const detail = first
        ? `${first.summary}; ${first.detail}`
        : reserved.has(key.value)
          ? "The tags scope and owner are set by the server."
          : value.value.includes("\0")
            ? "Tags cannot contain the null byte (0x00)."
            : undefined;
      if (detail !== undefined) problems.push({ field: key.value, detail });
      else if (value.valid) out[key.value] = value.value;
    }
  }
  if (problems.length > 0) {
    throw new Invalid(message, {
      validations: problems.toSorted((a, b) => (a.field < b.field ? -1 : 1)),
    });
  }
  return out;
}
