/** Checks on a version that no query makes. */
import type { Ctx } from "../ctx.ts";
import { type TemplateFacts, template } from "../database/dbauthz/kinds.ts";
import { permits } from "../database/dbauthz/rule.ts";
import type { GetTemplateVersionByIdRow } from "../database/gen/templateversions.gen.ts";
import { ApiError, NotFound } from "../errors.ts";

export const factsOf = ({ v, userAcl, groupAcl }: GetTemplateVersionByIdRow): TemplateFacts => ({
  id: v.templateId,
  organizationId: v.organizationId,
  userAcl,
  groupAcl,
});

export function mayUpdate(ctx: Ctx, row: GetTemplateVersionByIdRow): boolean {
  return permits(ctx.actor, "update", template, factsOf(row));
}

/** Not found, as for a version that may not be read. */
export function mustUpdate(ctx: Ctx, row: GetTemplateVersionByIdRow): void {
  if (!mayUpdate(ctx, row)) throw new NotFound();
}

/** What the import finds is there when it has ended. */
export function mustBeImported({ j }: GetTemplateVersionByIdRow, status: 400 | 403 | 425): void {
  if (j.completedAt !== null) return;
  const code = status === 425 ? "TooEarly" : status === 403 ? "Forbidden" : "Invalid";
  throw new ApiError(status, code, "Job hasn't completed!");
}
