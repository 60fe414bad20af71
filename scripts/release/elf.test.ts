import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { injectBlob } from "./elf.ts";

test("only a Node binary takes a program, and only once", () => {
  assert.throws(() => injectBlob(Buffer.from("#!/bin/sh\n"), Buffer.alloc(4)), /ELF/);
  assert.throws(() => injectBlob(readFileSync("/bin/sh"), Buffer.alloc(4)), /without single executables/);
  const once = injectBlob(readFileSync(process.execPath), Buffer.from("blob"));
  assert.throws(() => injectBlob(once, Buffer.from("blob")), /already carries/);
});

test("the program lies in a note that the last loaded segment holds", () => {
  const file = injectBlob(readFileSync(process.execPath), Buffer.from("the program"));
  const table = Number(file.readBigUInt64LE(32));
  const headers = Array.from({ length: file.readUInt16LE(56) }, (_, index) => {
    const at = table + index * 56;
    const long = (offset: number): number => Number(file.readBigUInt64LE(at + offset));
    return { type: file.readUInt32LE(at), offset: long(8), vaddr: long(16), size: long(32) };
  });
  const loads = headers.filter(({ type }) => type === 1);
  assert.deepEqual(
    loads.map(({ vaddr }) => vaddr),
    loads.map(({ vaddr }) => vaddr).toSorted((a, b) => a - b),
  );
  const { offset: start, vaddr, size } = loads.at(-1) ?? assert.fail("no segment is loaded");
  const note = headers.at(-1) ?? assert.fail("no header");
  assert.equal(note.type, 4);
  assert.equal(note.vaddr - vaddr, note.offset - start);
  assert.equal(start + size, file.length);
  assert.equal(file.readUInt32LE(note.offset + 4), "the program".length);
  assert.equal(file.toString("latin1", note.offset + 28, note.offset + 28 + 11), "the program");
});
