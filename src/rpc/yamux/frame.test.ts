import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeHeader, FrameDecoder, type FrameHeader } from "./frame.ts";

const table: readonly { name: string; hex: string; header: FrameHeader }[] = [
  { name: "open", hex: "000100010000000100000000", header: { type: 1, flags: 1, stream: 1, length: 0 } },
  { name: "accept", hex: "000100020000000100000000", header: { type: 1, flags: 2, stream: 1, length: 0 } },
  {
    name: "ping",
    hex: "0002000100000000deadbeef",
    header: { type: 2, flags: 1, stream: 0, length: 0xdeadbeef },
  },
  { name: "go-away", hex: "000300000000000000000001", header: { type: 3, flags: 0, stream: 0, length: 1 } },
];

for (const { name, hex, header } of table) {
  test(`frame: ${name}`, () => {
    assert.equal(encodeHeader(header).toString("hex"), hex);
    assert.deepEqual([...new FrameDecoder().push(Buffer.from(hex, "hex"))], [{ kind: "header", header }]);
  });
}

test("another version or type is an error", () => {
  for (const hex of ["010000000000000100000000", "000400000000000100000000"]) {
    assert.throws(() => [...new FrameDecoder().push(Buffer.from(hex, "hex"))], /must be/);
  }
});

test("decoding does not depend on how the bytes are cut", () => {
  const frames = Buffer.concat([
    encodeHeader({ type: 0, flags: 0, stream: 7, length: 5 }),
    Buffer.from("hello"),
    encodeHeader({ type: 1, flags: 4, stream: 7, length: 0 }),
  ]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: frames.length }), { maxLength: 6 }), (cuts) => {
      const decoder = new FrameDecoder();
      const borders = [0, ...cuts.toSorted((a, b) => a - b), frames.length];
      const seen: unknown[] = [];
      let body = "";
      borders.slice(1).forEach((end, i) => {
        for (const event of decoder.push(frames.subarray(borders[i], end))) {
          if (event.kind === "body") body += event.data.toString();
          else seen.push(event.header);
        }
      });
      assert.equal(body, "hello");
      assert.deepEqual(seen, [
        { type: 0, flags: 0, stream: 7, length: 5 },
        { type: 1, flags: 4, stream: 7, length: 0 },
      ]);
    }),
  );
});
