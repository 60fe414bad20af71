/** Uploaded archives: stored once for each content and creator, addressed by id. */
import { createHash } from "node:crypto";
import { files } from "#codersdk/files.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { ApiError, Invalid } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { rawReply, reply } from "../httpapi/reply.ts";
import { tarToZip, zipToTar } from "./convert.ts";
import { ArchiveTooLarge, BadArchive } from "./zip.ts";

export interface FilesDeps {
  readonly store: AuthzStore;
}

const tarType = "application/x-tar";
const zipTypes = ["application/zip", "application/x-zip-compressed"];

export function routes({ store }: FilesDeps): BoundRoute[] {
  return [
    bind(files.upload, async (ctx, req) => {
      const data = await tarOf(req.headers["content-type"] ?? "", req.bytes);
      const { id, isNew } = await storeFile(ctx, store, { data, createdBy: req.caller.user.id });
      return reply(isNew ? 201 : 200, { hash: id });
    }),

    bind(files.download, async (ctx, req) => {
      const { format } = req.query();
      const file = await store.getFileById(ctx, { id: req.params.fileID });
      switch (format) {
        case "":
          return rawReply(200, file.data, { headers: { "content-type": file.mimetype } });
        case "zip":
          return rawReply(200, await asBadInput(tarToZip(file.data)), {
            headers: { "content-type": "application/zip" },
          });
        default:
          throw new Invalid("Unsupported conversion format.");
      }
    }),
  ];
}

async function tarOf(type: string, bytes: Uint8Array): Promise<Uint8Array> {
  if (type === tarType) return bytes;
  if (zipTypes.includes(type)) return asBadInput(zipToTar(bytes));
  throw new Invalid(`Unsupported content type header ${JSON.stringify(type)}.`);
}

async function asBadInput<T>(conversion: Promise<T>): Promise<T> {
  try {
    return await conversion;
  } catch (error) {
    if (error instanceof ArchiveTooLarge) {
      throw new ApiError(413, "TooLarge", "The archive is too large.", { detail: error.message });
    }
    if (error instanceof BadArchive) {
      throw new Invalid("Failed to read the archive.", { detail: error.message });
    }
    throw error;
  }
}

/** Same bytes by the same user: the file that is there. */
export async function storeFile(
  ctx: Ctx,
  store: AuthzStore,
  { data, createdBy }: { readonly data: Uint8Array; readonly createdBy: string },
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const hash = createHash("sha256").update(data).digest("hex");
  const known = await store.getFileIdByHash(ctx, { hash, createdBy });
  if (known) return { id: known.id, isNew: false };
  return store.insertFile(ctx, {
    id: cryptoRand.uuid(),
    hash,
    createdAt: ctx.now(),
    createdBy,
    mimetype: tarType,
    data,
  });
}
