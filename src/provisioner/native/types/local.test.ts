import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { tempDir } from "#testutil/testutil.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { nativeEngine } from "../engine.ts";
import { runBuild } from "../nativetest/session.ts";
import { configOf, json, makeState, managedType, typeContext } from "../nativetest/types.ts";

it("local_file writes what the provider writes, sees a change, and removes the file", async (t) => {
  const base = await tempDir(t);
  const context = typeContext({ base });
  const type = managedType("local_file");
  const made = await makeState(
    type,
    { filename: "out/b.txt", content_base64: "aGk=", file_permission: "0640" },
    context,
  );
  // As hashicorp/local wrote it.
  assert.deepEqual(json(made), {
    content: null,
    content_base64: "aGk=",
    content_base64sha256: "j0NDRmSPa5bfid2pAcUXaxCm2Dlh3TwayItZstwyeqQ=",
    content_base64sha512:
      "FQoU7VvqbMcxz4bEFWasQnqNtI7xuf1iZmSzv7uZBx+kySLzPd44cZuMg1Tit6udd+Dmf8EoQ5IKcS5z1Vjhlw==",
    content_md5: "49f68a5c8493ec2c0bf489821c21fc3b",
    content_sha1: "c22b5f9178342609428d6f51b2c5af4c0bde6a42",
    content_sha256: "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4",
    content_sha512:
      "150a14ed5bea6cc731cf86c41566ac427a8db48ef1b9fd626664b3bfbb99071fa4c922f33dde38719b8c8354e2b7ab9d77e0e67fc12843920a712e73d558e197",
    directory_permission: "0777",
    file_permission: "0640",
    filename: "out/b.txt",
    id: "c22b5f9178342609428d6f51b2c5af4c0bde6a42",
    sensitive_content: null,
    source: null,
  });
  const path = join(base, "out/b.txt");
  assert.equal(readFileSync(path, "utf8"), "hi");
  assert.equal(statSync(path).mode & 0o777, 0o640);
  assert.ok(await type.read?.(made, context));
  writeFileSync(path, "ho");
  assert.equal(await type.read?.(made, context), undefined);
  await type.destroy?.(made, context);
  assert.equal(existsSync(path), false);
  await type.destroy?.(made, context);
});

it("a file's content comes from exactly one argument", () => {
  const type = managedType("local_file");
  const problems = (given: Readonly<Record<string, unknown>>): readonly string[] =>
    (type.validate?.(configOf(type, given)) ?? []).map(({ detail }) => detail ?? "");
  assert.match(problems({ filename: "x" }).join(), /received none/);
  assert.match(problems({ filename: "x", content: "a", source: "b" }).join(), /content, source/);
  assert.match(problems({ filename: "x", content: "a", file_permission: "rw" }).join(), /received "rw"/);
});

it("files in a template: a data source waits for the file that it names; a secret one stays secret", async (t) => {
  const target = await tempDir(t);
  const main = (text: string): string => `
resource "local_file" "a" {
  filename = "${target}/a.txt"
  content  = "${text}"
}
data "local_file" "a" {
  filename = local_file.a.filename
}
resource "local_sensitive_file" "s" {
  filename = "${target}/s.txt"
  content  = upper(data.local_file.a.content)
}
output "read" {
  value = data.local_file.a.content
}`;
  const engine = nativeEngine({ rand: cryptoRand, os: "linux", arch: "amd64" });
  const first = await runBuild(engine, await tempDir(t), { files: { "main.tf": main("hi") } });
  assert.equal(first.error, "");
  assert.equal(readFileSync(join(target, "s.txt"), "utf8"), "HI");
  const state = first.apply?.state ?? new Uint8Array();
  const second = await runBuild(engine, await tempDir(t), { files: { "main.tf": main("ho") }, state });
  assert.equal(second.error, "");
  assert.equal(readFileSync(join(target, "s.txt"), "utf8"), "HO");
  const parsed: { outputs: unknown } = JSON.parse(Buffer.from(second.apply?.state ?? []).toString());
  assert.deepEqual(parsed.outputs, { read: { value: "ho", type: "string" } });
  const gone = await runBuild(engine, await tempDir(t), {
    files: { "main.tf": main("ho") },
    transition: "destroy",
    state: second.apply?.state ?? new Uint8Array(),
  });
  assert.equal(gone.error, "");
  assert.equal(existsSync(join(target, "a.txt")) || existsSync(join(target, "s.txt")), false);
});
