import assert from "node:assert/strict";
import { test } from "node:test";
import { withAuthority } from "./xauthority.ts";

const cookie = Buffer.from("d7b9074d0ca6373c4e5172f9dc9ac9b9", "hex");
const entry = { host: "vm", display: 10, protocol: "MIT-MAGIC-COOKIE-1", cookie };
/** What a stock agent wrote for it. */
const recorded =
  "01000002766d0002313000124d49542d4d414749432d434f4f4b49452d310010d7b9074d0ca6373c4e5172f9dc9ac9b9";

test("an entry is written as recorded", () => {
  assert.equal(withAuthority(Buffer.alloc(0), entry).toString("hex"), recorded);
});

test("a display's entry replaces its own earlier one only", () => {
  const other = withAuthority(Buffer.from(recorded, "hex"), { ...entry, display: 11 });
  const again = withAuthority(other, { ...entry, cookie: Buffer.alloc(16, 7) });
  assert.equal(again.length, other.length);
  assert.ok(again.includes(Buffer.alloc(16, 7)));
  assert.equal(again.includes(Buffer.from(recorded, "hex")), false);
  const first = withAuthority(Buffer.alloc(0), { ...entry, display: 11 });
  assert.deepEqual(withAuthority(again, { ...entry, display: 12 }).subarray(0, first.length), first);
});

test("what is cut off or no such file at all is dropped", () => {
  for (const broken of [
    Buffer.from("rubbish"),
    Buffer.from(recorded.slice(0, -2), "hex"),
    Buffer.alloc(1, 255),
  ]) {
    assert.equal(withAuthority(broken, entry).toString("hex"), recorded);
  }
});
