/**
 * A file as messages (spec provisioning §6.7): one `data_upload` that announces hash, size and number of chunks, then
 * `chunk_piece`s of 2 MiB in order. Used for module archives between daemon, engine and server, in all directions.
 */
import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type ChunkPiece,
  type DataUpload,
  DataUploadType,
  type FileUpload,
  type FileUploadSchema,
} from "#rpc/gen/provisionersdk_pb.js";

export const chunkSize = 2 * 1024 * 1024;
export const maxFileSize = 100 * 1024 * 1024;

type Piece = Exclude<NonNullable<MessageInitShape<typeof FileUploadSchema>["type"]>, { case?: undefined }>;

/** The messages that carry `data`. */
export function* filePieces(
  data: Uint8Array,
): Generator<Extract<Piece, { case: "dataUpload" | "chunkPiece" }>> {
  const hash = sha256(data);
  const chunks = Math.ceil(data.length / chunkSize);
  yield {
    case: "dataUpload",
    value: {
      uploadType: DataUploadType.UPLOAD_TYPE_MODULE_FILES,
      dataHash: hash,
      fileSize: BigInt(data.length),
      chunks,
    },
  };
  for (let index = 0; index < chunks; index++) {
    const part = data.subarray(index * chunkSize, (index + 1) * chunkSize);
    yield { case: "chunkPiece", value: { data: part, fullDataHash: hash, pieceIndex: index } };
  }
}

/** What was received is not a file in this form; `message` says what is wrong. */
export class UploadError extends Error {
  override readonly name = "UploadError";
}

/** Puts a file together again. Holds only what came, at most 100 MiB. */
export class FileAssembler {
  readonly #hash: Buffer;
  readonly #size: number;
  readonly #chunks: number;
  readonly #parts: Buffer[] = [];
  #received = 0;

  constructor(announced: DataUpload) {
    const { dataHash, fileSize, chunks, uploadType } = announced;
    if (uploadType !== DataUploadType.UPLOAD_TYPE_MODULE_FILES) {
      throw new UploadError(`upload type must be module files: received ${uploadType}`);
    }
    if (dataHash.length !== 32) throw new UploadError(`the hash has 32 bytes: received ${dataHash.length}`);
    if (fileSize < 0n || fileSize > BigInt(maxFileSize)) {
      throw new UploadError(`a file has at most ${maxFileSize} bytes: received ${fileSize}`);
    }
    this.#size = Number(fileSize);
    if (chunks < 0 || chunks > Math.ceil(this.#size / chunkSize)) {
      throw new UploadError(`${this.#size} bytes do not need ${chunks} chunks`);
    }
    this.#hash = Buffer.from(dataHash);
    this.#chunks = chunks;
  }

  /** Adds the next piece; the whole file once the last has come. */
  add(piece: ChunkPiece): Buffer | undefined {
    if (piece.pieceIndex !== this.#parts.length) {
      throw new UploadError(
        `chunks ordering, expected chunk index ${this.#parts.length}, got ${piece.pieceIndex}`,
      );
    }
    if (!this.#hash.equals(piece.fullDataHash)) throw new UploadError("a chunk belongs to another file");
    this.#received += piece.data.length;
    if (this.#received > this.#size || this.#parts.length >= this.#chunks) {
      throw new UploadError(`more data than the announced ${this.#size} bytes`);
    }
    this.#parts.push(Buffer.from(piece.data));
    return this.finished();
  }

  /** The file, if all of it is here: an empty file is complete at once. */
  finished(): Buffer | undefined {
    if (this.#parts.length < this.#chunks) return undefined;
    const data = Buffer.concat(this.#parts);
    if (data.length !== this.#size) {
      throw new UploadError(`expected ${this.#size} bytes: received ${data.length}`);
    }
    if (!this.#hash.equals(sha256(data))) {
      throw new UploadError("the file's hash differs from the announced one");
    }
    return data;
  }
}

/** Reads a whole file from a stream of messages. */
export async function receiveFile(messages: AsyncIterable<FileUpload>): Promise<Buffer> {
  let assembler: FileAssembler | undefined;
  for await (const { type } of messages) {
    let file: Buffer | undefined;
    if (type.case === "error") throw new UploadError(type.value.error);
    if (type.case === "dataUpload" && !assembler) {
      assembler = new FileAssembler(type.value);
      file = assembler.finished();
    } else if (type.case === "chunkPiece" && assembler) {
      file = assembler.add(type.value);
    } else {
      throw new UploadError(`unexpected message in an upload: ${type.case ?? "nothing"}`);
    }
    if (file) return file;
  }
  throw new UploadError("the upload ended before the file was complete");
}

export function sha256(data: Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}
