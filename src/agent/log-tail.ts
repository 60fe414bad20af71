/** The newest part of a file. */
import { open } from "node:fs/promises";

/** In the log folder. */
export const logFileName = "coder-agent.log";

/** Empty for a file that does not exist. */
export async function tail(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path).catch(() => undefined);
  if (!file) return Buffer.alloc(0);
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.min(size, maxBytes));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
