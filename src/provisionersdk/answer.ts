/** What ends a request of a session: the `…Complete` message, with module files that are too big for it sent before. */
import { create, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { InitCompleteSchema, type ResponseSchema } from "#rpc/gen/provisionersdk_pb.js";
import { maxPacket } from "#rpc/drpc/wire.ts";
import { filePieces, sha256 } from "./upload.ts";

type Message = NonNullable<MessageInitShape<typeof ResponseSchema>["type"]>;
export type Answer = Extract<Message, { case: "init" | "parse" | "plan" | "apply" | "graph" }>;

/** Room for the response's own framing. */
const margin = 64;

export function* answerOf(answer: Answer): Generator<Message> {
  if (answer.case === "init") {
    const complete = create(InitCompleteSchema, answer.value);
    const { moduleFiles } = complete;
    if (moduleFiles.length > 0 && toBinary(InitCompleteSchema, complete).length + margin > maxPacket) {
      yield* filePieces(moduleFiles);
      complete.moduleFiles = new Uint8Array();
      complete.moduleFilesHash = sha256(moduleFiles);
      yield { case: "init", value: complete };
      return;
    }
  }
  yield answer;
}

/** The answer of a request whose work threw. */
export function failedAnswer(kind: Answer["case"], thrown: unknown): Answer {
  const error = thrown instanceof Error ? thrown.message : String(thrown);
  switch (kind) {
    case "init":
      return { case: kind, value: { error } };
    case "parse":
      return { case: kind, value: { error } };
    case "plan":
      return { case: kind, value: { error } };
    case "apply":
      return { case: kind, value: { error } };
    case "graph":
      return { case: kind, value: { error } };
  }
}
