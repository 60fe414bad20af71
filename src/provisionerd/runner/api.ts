/** What a runner asks of the server, for one job. Calls survive a lost connection (connection.ts). */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Clock } from "#quartz/clock.ts";
import { DataUploadType } from "#rpc/gen/provisionersdk_pb.js";
import type {
  CommitQuotaResponse,
  CompletedJobSchema,
  FailedJobSchema,
  UpdateJobRequestSchema,
  UpdateJobResponse,
} from "#rpc/gen/provisionerd_pb.js";
import { filePieces, receiveFile } from "#provisionersdk/upload.ts";
import type { Reconnecting } from "../connection.ts";

export interface JobApi {
  update(
    request: Omit<MessageInitShape<typeof UpdateJobRequestSchema>, "jobId" | "$typeName">,
  ): Promise<UpdateJobResponse>;
  commitQuota(dailyCost: number): Promise<CommitQuotaResponse>;
  complete(type: NonNullable<MessageInitShape<typeof CompletedJobSchema>["type"]>): Promise<void>;
  fail(job: Omit<MessageInitShape<typeof FailedJobSchema>, "jobId" | "$typeName">): Promise<void>;
  upload(modules: Uint8Array): Promise<void>;
  download(fileId: string): Promise<Buffer>;
}

const updateTimeoutMs = 30_000;
const fileTimeoutMs = 5 * 60_000;

export function jobApi(
  jobId: string,
  server: Reconnecting,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): JobApi {
  const { clock, signal } = options;
  return {
    update: (request) =>
      within(clock, signal, updateTimeoutMs, (limit) =>
        server.call(limit, (client) => client.updateJob({ ...request, jobId }, { signal: limit })),
      ),
    commitQuota: (dailyCost) =>
      within(clock, signal, updateTimeoutMs, (limit) =>
        server.call(limit, (client) => client.commitQuota({ jobId, dailyCost }, { signal: limit })),
      ),
    complete: async (type) => {
      await server.call(signal, (client) => client.completeJob({ jobId, type }, { signal }));
    },
    fail: async (job) => {
      await server.call(signal, (client) => client.failJob({ ...job, jobId }, { signal }));
    },
    upload: (modules) =>
      within(clock, signal, fileTimeoutMs, (limit) =>
        server.call(limit, async (client) => {
          await using upload = client.uploadFile({ signal: limit });
          for (const type of filePieces(modules)) await upload.send({ type });
          await upload.reply();
        }),
      ),
    download: (fileId) =>
      within(clock, signal, fileTimeoutMs, (limit) =>
        server.call(limit, async (client) => {
          const uploadType = DataUploadType.UPLOAD_TYPE_MODULE_FILES;
          await using file = client.downloadFile({ fileId, uploadType }, { signal: limit });
          return await receiveFile(file);
        }),
      ),
  };
}

/** Runs `work` with a signal that also aborts after `ms`. */
async function within<T>(
  clock: Clock,
  signal: AbortSignal,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = clock.timer(
    ms,
    () => late.abort(new Error(`the server gave no answer within ${ms / 1000} s`)),
    {
      tag: "provisionerd-timeout",
      unref: true,
    },
  );
  try {
    return await work(AbortSignal.any([signal, late.signal]));
  } finally {
    timer.stop();
  }
}
