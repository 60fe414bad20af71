/** Archives of template files. */
import { endpoint } from "./endpoint.ts";
import * as w from "./wire.ts";

export const UploadResponse = w.struct("UploadResponse", {
  hash: w.uuid(),
});
export type UploadResponse = w.Infer<typeof UploadResponse>;

export const files = {
  upload: endpoint({
    method: "POST",
    path: "/api/v2/files",
    auth: "session",
    rate: "files",
    body: "raw",
    bodyLimit: 100 * 1024 * 1024,
    tooLarge: 400,
    responses: { 200: UploadResponse, 201: UploadResponse },
    summary: "Upload an archive of template files",
  }),
  download: endpoint({
    method: "GET",
    path: "/api/v2/files/{fileID}",
    auth: "session",
    rate: "files",
    uuidParams: ["fileID"],
    query: { format: "string" },
    responses: { 200: { raw: "application/x-tar" } },
    summary: "Download an uploaded archive",
  }),
};
