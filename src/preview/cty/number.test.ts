import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  add,
  compare,
  divide,
  floor,
  formatNum,
  fromInt,
  fromNumber,
  modulo,
  multiply,
  parseNum,
  toDouble,
} from "./number.ts";

const whole = fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n });

describe("numbers", () => {
  it("are exact for whole numbers", () => {
    fc.assert(
      fc.property(whole, whole, (a, b) => {
        assert.equal(formatNum(add(fromInt(a), fromInt(b))), (a + b).toString());
        assert.equal(formatNum(multiply(fromInt(a), fromInt(b))), (a * b).toString());
        assert.equal(compare(fromInt(a), fromInt(b)), a < b ? -1 : a > b ? 1 : 0);
        if (b !== 0n) assert.equal(formatNum(modulo(fromInt(a), fromInt(b))), (a % b).toString());
      }),
    );
  });

  it("read back as they are printed, with the fewest digits", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }),
        fc.integer({ min: 0, max: 60 }),
        (digits, places) => {
          const sign = digits < 0n ? "-" : "";
          const text = (digits < 0n ? -digits : digits).toString().padStart(places + 1, "0");
          const whole = text.slice(0, text.length - places);
          const fraction = places === 0 ? "" : text.slice(-places).replace(/0+$/, "");
          const written = `${digits === 0n ? "" : sign}${whole}${fraction === "" ? "" : `.${fraction}`}`;
          const parsed = parseNum(written);
          assert.ok(parsed);
          assert.equal(formatNum(parsed), written);
        },
      ),
    );
  });

  it("agree with doubles", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e100, max: 1e100 }), (value) => {
        assert.equal(toDouble(fromNumber(value)), value === 0 ? 0 : value);
        assert.equal(formatNum(floor(fromNumber(value))), BigInt(Math.floor(value)).toString());
      }),
    );
  });

  it("refuse what is none, and bound their size", () => {
    for (const text of ["", ".", "1e", "0x1", "1_000", "١", "NaN", "1e99999", "9".repeat(5000)]) {
      assert.equal(parseNum(text), undefined, text.slice(0, 20));
    }
    assert.throws(() => divide(fromInt(1), fromInt(0)), /division by zero/);
    let big = fromInt(3);
    assert.throws(() => {
      for (let i = 0; i < 40; i += 1) big = multiply(big, big);
    }, /out of range/);
  });
});
