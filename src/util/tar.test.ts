import assert from "node:assert/strict";
import { it } from "node:test";
import { packTar } from "modern-tar";
import { readTar } from "./tar.ts";

const tar = () =>
  packTar([
    { header: { name: "a/", type: "directory", size: 0 } },
    { header: { name: "a/b.txt", type: "file", size: 600 }, body: Buffer.alloc(600, "x") },
  ]);

const names = async (archive: Uint8Array) => (await readTar(archive)).map(({ header }) => header.name);

it("reads archives with and without the marker of their end", async () => {
  const whole = await tar();
  const end = 512 + 512 + 1024;
  assert.deepEqual(await names(whole), ["a/", "a/b.txt"]);
  assert.deepEqual(await names(whole.subarray(0, end)), ["a/", "a/b.txt"]);
  assert.deepEqual(await names(whole.subarray(0, end + 512)), ["a/", "a/b.txt"]);
});

it("refuses archives that are cut off inside an entry, or are none", async () => {
  const whole = await tar();
  for (const length of [100, 512 + 100, 512 + 512 + 300, 512 + 512 + 512]) {
    await assert.rejects(names(whole.subarray(0, length)), `${length} bytes`);
  }
  await assert.rejects(names(Buffer.alloc(1024, "no archive ")));
});
