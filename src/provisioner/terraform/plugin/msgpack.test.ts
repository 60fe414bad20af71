import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { unknown, type Json } from "../../coderprovider/types.ts";
import { decodeMsgpack, encodeMsgpack } from "./msgpack.ts";

const table: readonly (readonly [hex: string, value: Json])[] = [
  ["c0", null],
  ["d40000", unknown],
  ["c2", false],
  ["c3", true],
  ["00", 0],
  ["7f", 127],
  ["ff", -1],
  ["e0", -32],
  ["d30000000000000080", 128],
  ["d3ffffffffffffff00", -256],
  ["cb3ff8000000000000", 1.5],
  ["a0", ""],
  ["a26869", "hi"],
  ["9201a161", [1, "a"]],
  ["81a161c0", { a: null }],
];

test("MessagePack: both ways", () => {
  for (const [hex, value] of table) {
    assert.equal(encodeMsgpack(value).toString("hex"), hex);
    assert.deepEqual(decodeMsgpack(Buffer.from(hex, "hex")), value);
  }
});

test("MessagePack: what only Terraform sends", () => {
  for (const [hex, value] of [
    ["cc80", 128],
    ["cd0100", 256],
    ["ce00010000", 65536],
    ["cf0000000000000001", 1],
    ["d0ff", -1],
    ["d1ff00", -256],
    ["d2ffffff00", -256],
    ["ca3fc00000", 1.5],
    ["c70c0c010203040506070809101112", unknown],
    ["c401ff", "\ufffd"],
  ] as const) {
    assert.deepEqual(decodeMsgpack(Buffer.from(hex, "hex")), value, hex);
  }
});

test("MessagePack: malformed input is refused before memory is taken for it", () => {
  for (const hex of [
    "",
    "c1",
    "a5",
    "dbffffffff",
    "ddffffffff",
    "dfffffffff",
    "92c0",
    "8101c0",
    "c0c0",
    "d400",
    "cb00",
  ]) {
    assert.throws(() => decodeMsgpack(Buffer.from(hex, "hex")), Error, hex);
  }
  assert.throws(() => decodeMsgpack(Buffer.alloc(1000, 0x91)), /nested deeper/);
});

test("MessagePack: what is written is read", () => {
  const value = fc.letrec((tie) => ({
    json: fc.oneof(
      { depthSize: "small" },
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
      fc.string({ unit: "grapheme", maxLength: 400 }),
      fc.array(tie("json"), { maxLength: 40 }),
      fc.dictionary(fc.string({ maxLength: 40 }), tie("json"), { maxKeys: 40, noNullPrototype: true }),
    ),
  })).json;
  fc.assert(
    fc.property(value, (json) => {
      // Through JSON, so that the type is plain and no value is shared.
      const plain: Json = JSON.parse(JSON.stringify(json));
      assert.deepEqual(decodeMsgpack(encodeMsgpack(plain)), plain);
    }),
    { numRuns: 200 },
  );
});
