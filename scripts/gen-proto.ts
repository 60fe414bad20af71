/** proto/*.proto → src/rpc/gen: messages and services in protobuf-es form, by buf with the plugin of our packages. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emit, type GenOptions } from "./generated.ts";
import { node } from "./run.ts";

export async function genProto(options: GenOptions): Promise<string[]> {
  const dir = mkdtempSync(join(tmpdir(), "coder-gen-"));
  try {
    const status = await node(["node_modules/@bufbuild/buf/bin/buf", "generate", "--output", dir]);
    if (status !== 0) throw new Error(`buf generate failed with status ${status}`);
    const out = join(dir, "src/rpc/gen");
    return emit(
      new Map(readdirSync(out).map((name) => [`src/rpc/gen/${name}`, readFileSync(join(out, name), "utf8")])),
      options,
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
