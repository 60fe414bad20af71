import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, formatAddressPort, parseAddress, parsePrefix } from "./address.ts";

test("addresses read and print in the canonical form", () => {
  for (const [input, canonical] of [
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["fd7a:115c:a1e0::1", "fd7a:115c:a1e0::1"],
    ["FD7A:115C:A1E0:0:0:0:0:1", "fd7a:115c:a1e0::1"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["::ffff:1.2.3.4", "::ffff:1.2.3.4"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
    ["10.0.0.1", "10.0.0.1"],
  ] as const) {
    const bytes = parseAddress(input);
    assert.ok(bytes, input);
    assert.equal(formatAddress(bytes), canonical);
  }
});

test("what is no address is refused", () => {
  for (const input of ["", "1", "::g", "fe80::1%eth0", "1.2.3", "1.2.3.4.5", "1:2:3:4:5:6:7:8:9", "host"]) {
    assert.equal(parseAddress(input), undefined, input);
  }
});

test("addresses with ports", () => {
  assert.equal(formatAddressPort(Buffer.of(10, 0, 0, 1), 80), "10.0.0.1:80");
  assert.equal(formatAddressPort(parseAddress("::ffff:10.0.0.1") ?? Buffer.alloc(0), 80), "10.0.0.1:80");
  assert.equal(formatAddressPort(parseAddress("2001:db8::1") ?? Buffer.alloc(0), 80), "[2001:db8::1]:80");
});

test("prefixes", () => {
  assert.equal(parsePrefix("::/0")?.bits, 0);
  assert.equal(parsePrefix("10.0.0.0/8")?.address.length, 4);
  for (const input of ["::", "::/129", "10.0.0.0/33", "::/-1", "::/08", "fe80::1%e/128", "/8", "x/8"]) {
    assert.equal(parsePrefix(input), undefined, input);
  }
});
