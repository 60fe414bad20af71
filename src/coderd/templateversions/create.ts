/** A new version is an import job: the version stands at once, what its template says comes when the job is done. */
import { createHash } from "node:crypto";
import type { CreateTemplateVersionRequest } from "#codersdk/templateversions.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import { audit } from "../audit/audit.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { nilUuid } from "../database/dbauthz/kinds.ts";
import { isUniqueViolation } from "../database/errors.ts";
import type { Pubsub } from "../database/pubsub/pubsub.ts";
import { Conflict, Invalid, invalidField, NotFound } from "../errors.ts";
import { nobody, previewOwner } from "../dynamicparameters/owner.ts";
import { uploadTags } from "../dynamicparameters/upload.ts";
import { actors } from "../rbac/actors.ts";
import { type Example, packExample } from "../examples/examples.ts";
import { insertJob } from "../provisionerjobs/jobs.ts";
import { normalizeTags } from "../provisionerjobs/tags.ts";
import { moniker } from "./moniker.ts";

export interface CreateVersionDeps {
  readonly store: AuthzStore;
  readonly pubsub: Pubsub;
  readonly rand: Rand;
  readonly examples: readonly Example[];
}

export interface CreateVersion {
  readonly organizationId: string;
  readonly body: CreateTemplateVersionRequest;
  readonly request: { readonly ip: string; readonly userAgent: string };
}

/** Gives the version's id. */
export async function createVersion(
  ctx: Ctx,
  deps: CreateVersionDeps,
  { organizationId, body, request }: CreateVersion,
): Promise<string> {
  const { store, pubsub, rand } = deps;
  const hasFile = body.file_id !== nilUuid;
  if (body.example_id && hasFile) {
    throw new Invalid("You cannot specify both an example_id and a file_id.");
  }
  const templateId = body.template_id === nilUuid ? null : body.template_id;
  if (templateId !== null) await mustExist(ctx, store, templateId, organizationId);
  const fileId = body.example_id ? await exampleFile(ctx, deps, body.example_id) : body.file_id;
  await store.getFileInfo(ctx, { id: fileId }).catch(renamed("File not found."));
  const asked = jobTags(body.tags);
  const system = ctx.as(actors.provisionerd, "what the uploader's own template asks for");
  const { data: archive } = await store.getFileForJob(system, { id: fileId });
  const found = await uploadTags(ctx, rand, {
    archive,
    owner: (await previewOwner(ctx, store, { userId: ctx.actor.id, organizationId })) ?? nobody,
    variables: Object.fromEntries(
      (body.user_variable_values ?? []).map(({ name: variable, value }) => [variable, value]),
    ),
  });
  const tags = normalizeTags(ctx.actor.id, { scope: "organization" }, found, asked);
  const [id, jobId, at] = [rand.uuid(), rand.uuid(), ctx.now()];
  const name = body.name ?? moniker(rand);
  try {
    await store.inTx(ctx, {}, async (tx) => {
      await insertJob(ctx, tx, pubsub, {
        id: jobId,
        organizationId,
        initiatorId: ctx.actor.id,
        type: "template_version_import",
        provisioner: body.provisioner,
        fileId,
        input: { template_version_id: id, user_variable_values: body.user_variable_values ?? [] },
        tags,
        createdAt: at,
      });
      const version = await tx.insertTemplateVersion(ctx, {
        id,
        templateId,
        organizationId,
        jobId,
        createdBy: ctx.actor.id,
        name,
        message: body.message ?? "",
        createdAt: at,
      });
      await audit(tx, ctx, {
        action: "create",
        type: "template_version",
        after: version,
        request,
        statusCode: 201,
      });
    });
  } catch (error) {
    if (!isUniqueViolation(error, "template_versions_template_id_name_key")) throw error;
    throw new Conflict(
      `A template version with name ${JSON.stringify(name)} already exists for this template.`,
      {
        validations: [{ field: "name", detail: "This value is already in use and should be unique." }],
      },
    );
  }
  return id;
}

/** A starter template as if the caller had uploaded it. */
async function exampleFile(
  ctx: Ctx,
  { store, rand, examples }: CreateVersionDeps,
  id: string,
): Promise<string> {
  const example = examples.find(({ about }) => about.id === id);
  if (!example) {
    throw new Invalid("Example not found.", { detail: `there is no example ${JSON.stringify(id)}` });
  }
  const data = Buffer.from(await packExample(example));
  const file = await store.insertFile(ctx, {
    id: rand.uuid(),
    hash: createHash("sha256").update(data).digest("hex"),
    createdAt: ctx.now(),
    createdBy: ctx.actor.id,
    mimetype: "application/x-tar",
    data,
  });
  return file.id;
}

async function mustExist(ctx: Ctx, store: AuthzStore, id: string, organizationId: string): Promise<void> {
  const text = "Template does not exist.";
  const template = await store.getTemplateById(ctx, { id }).catch(renamed(text));
  if (template.organizationId !== organizationId || template.deleted) throw new NotFound(text);
}

/** "Not found" with a text of its own. */
export function renamed(message: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof NotFound ? new NotFound(message) : error;
  };
}

function jobTags(tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const text of Object.entries(tags).flat()) {
    if (text.includes("\0")) {
      throw invalidField("Invalid tags.", "tags", "tags cannot contain the null byte (0x00)");
    }
  }
  return tags;
}
