/** A manifest taken apart at the edge: secrets out of the message, paths expanded, ids checked. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Manifest } from "#rpc/gen/agent_pb.js";
import type { Logger } from "#slog/slog.ts";
import { uuidText } from "#tailnet/addresses.ts";
import type { WorkspaceFacts } from "./command/command.ts";
import { expandPath } from "./command/expand.ts";

export interface SecretFile {
  readonly path: string;
  readonly value: Uint8Array;
}

export interface ParsedManifest {
  readonly agentId: string;
  /** Without secrets: safe to show. */
  readonly message: Manifest;
  readonly workspace: WorkspaceFacts;
  readonly secretFiles: readonly SecretFile[];
}

export function parseManifest(
  message: Manifest,
  context: { readonly env: Readonly<Record<string, string | undefined>>; readonly home: string },
): ParsedManifest {
  const agentId = uuidText(message.agentId);
  const workspaceId = uuidText(message.workspaceId);
  if (agentId === undefined || message.agentId.every((byte) => byte === 0)) {
    throw new Error("the server's manifest has no agent id");
  }
  const secrets: Record<string, string> = {};
  const files = new Map<string, SecretFile>();
  for (const { envName, filePath, value } of message.secrets) {
    if (envName !== "") secrets[envName] = Buffer.from(value).toString("utf8");
    const path = filePath === "" ? "" : expandPath(filePath, context);
    if (path !== "") files.set(path, { path, value });
  }
  return {
    agentId,
    message: { ...message, secrets: [] },
    workspace: {
      agentName: message.agentName,
      workspaceName: message.workspaceName,
      workspaceId: workspaceId ?? "",
      ownerName: message.ownerUsername,
      environment: message.environmentVariables,
      directory: expandPath(message.directory, context),
      vscodeProxyUri: message.vsCodePortProxyUri,
      secrets,
    },
    secretFiles: [...files.values()],
  };
}

/** Failures are logged only: a file that cannot be written must not keep people out of their workspace. */
export async function writeSecretFiles(files: readonly SecretFile[], log: Logger): Promise<void> {
  for (const { path, value } of files) {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const existed = await writeNew(path, value);
      if (existed) await writeFile(path, value);
    } catch (error) {
      log.error("a secret's file cannot be written", { path, error });
    }
  }
}

/** True when the file exists already; a new one is private. */
async function writeNew(path: string, value: Uint8Array): Promise<boolean> {
  try {
    await writeFile(path, value, { flag: "wx", mode: 0o600 });
    await chmod(path, 0o600);
    return false;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return true;
    throw error;
  }
}
