/** The `q` language of template lists. */
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { GetTemplatesArg } from "../database/gen/templates.gen.ts";
import { Invalid, NotFound } from "../errors.ts";
import { parseSearch } from "../httpapi/search-query.ts";
import { resolveOrganization } from "../httpmw/params.ts";

export async function templateQuery(ctx: Ctx, store: AuthzStore, q: string): Promise<GetTemplatesArg> {
  const search = parseSearch(q, {
    what: "template",
    free: "display_name",
    keys: {
      name: "string",
      exact_name: "string",
      display_name: "string",
      exact_display_name: "string",
      ids: "uuids",
      deleted: "bool",
      deprecated: "bool",
      organization: "string",
      author: "string",
      author_id: "uuid",
      "has-ai-task": "bool",
      has_external_agent: "bool",
    },
  });
  const mine = search.author === "me";
  return {
    deleted: search.deleted ?? false,
    deprecated: search.deprecated ?? false,
    ids: search.ids,
    organizationId: search.organization === "" ? null : await organizationId(ctx, store, search.organization),
    authorId: mine ? ctx.actor.id : (search.author_id ?? null),
    author: mine ? "" : search.author,
    exactName: search.exact_name,
    exactDisplayName: search.exact_display_name,
    fuzzyName: search.name,
    fuzzyDisplayName: search.display_name,
    hasAiTask: search["has-ai-task"] ?? null,
    hasExternalAgent: search.has_external_agent ?? null,
  };
}

async function organizationId(ctx: Ctx, store: AuthzStore, text: string): Promise<string> {
  try {
    return (await resolveOrganization(ctx, store, text)).id;
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    const name = JSON.stringify(text);
    throw new Invalid("Invalid template search query.", {
      validations: [
        {
          field: "organization",
          detail: `Query param "organization" has invalid value: organization ${name} either does not exist, or you are unauthorized to view it`,
        },
      ],
    });
  }
}
