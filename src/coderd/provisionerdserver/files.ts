/** Module archives of daemons: uploaded by imports, downloaded by builds (spec provisioning §6.7). */
import type { MessageStream } from "#rpc/drpc/messages.ts";
import type { EmptySchema, FileRequest, FileRequestSchema } from "#rpc/gen/provisionerd_pb.js";
import { DataUploadType, type FileUploadSchema } from "#rpc/gen/provisionersdk_pb.js";
import { filePieces, receiveFile, sha256 } from "#provisionersdk/upload.ts";
import type { Ctx } from "../ctx.ts";
import { nilUuid } from "../database/dbauthz/kinds.ts";
import type { ProvisionerdServerDeps } from "./deps.ts";

export async function uploadFile(
  ctx: Ctx,
  { store, rand }: ProvisionerdServerDeps,
  stream: MessageStream<typeof EmptySchema, typeof FileUploadSchema>,
): Promise<Record<string, never>> {
  const data = await receiveFile(stream);
  const hash = sha256(data).toString("hex");
  await store.upsertModuleFile(ctx, { id: rand.uuid(), hash, data, createdAt: ctx.now() });
  return {};
}

export async function downloadFile(
  ctx: Ctx,
  { store }: ProvisionerdServerDeps,
  request: FileRequest,
  stream: MessageStream<typeof FileUploadSchema, typeof FileRequestSchema>,
): Promise<void> {
  try {
    if (request.uploadType !== DataUploadType.UPLOAD_TYPE_MODULE_FILES) {
      throw new Error("only module files are kept");
    }
    const file = await store.getFileForJob(ctx, { id: request.fileId });
    if (file.createdBy !== nilUuid || file.mimetype !== "application/x-tar") {
      throw new Error(`file ${file.id} is not a modules file`);
    }
    for (const type of filePieces(file.data)) await stream.send({ type });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    await stream.send({ type: { case: "error", value: { error: text } } });
  }
}
