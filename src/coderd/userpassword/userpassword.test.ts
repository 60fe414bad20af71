import assert from "node:assert/strict";
import { test } from "node:test";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { PasswordHasher } from "./hash.ts";
import { passwordProblem } from "./policy.ts";

test("weak passwords are refused, strong ones are not", () => {
  const weak = ["", "password", "a".repeat(20), "abcdefghijklmnop", "qwertyuiopasdf", "12345678901234567890"];
  const strong = ["Password1", "correcthorsebattery", "Tr0ub4dor&3", "x1!Yz9@Qw", "SomeSecurePassword!1"];
  for (const password of weak) assert.notEqual(passwordProblem(password), undefined, password);
  for (const password of strong) assert.equal(passwordProblem(password), undefined, password);
});

test("the problem lists only what is missing", () => {
  assert.equal(
    passwordProblem("abc"),
    "insecure password, try including more special characters, using uppercase letters, using numbers or using a longer password",
  );
  assert.match(passwordProblem("x1!Yz9@Qw".repeat(10)) ?? "", /no more than 64/);
});

test("a hash has the stored form and matches its password only", async () => {
  const hasher = new PasswordHasher({ rand: cryptoRand, rounds: 1000 });
  const hash = await hasher.hash("SomeSecurePassword!1");
  assert.match(hash, /^\$pbkdf2-sha256\$1000\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{86}$/);
  assert.equal(await hasher.matches(hash, "SomeSecurePassword!1"), true);
  assert.equal(await hasher.matches(hash, "somesecurepassword!1"), false);
  assert.equal(await hasher.matches("", ""), false);
});

test("old hashes verify with their own count and are known as old", async () => {
  const old = await new PasswordHasher({ rand: cryptoRand, rounds: 1024 }).hash("p");
  const hasher = new PasswordHasher({ rand: cryptoRand, rounds: 2048 });
  assert.equal(await hasher.matches(old, "p"), true);
  assert.equal(hasher.isOld(old), true);
  assert.equal(hasher.isOld(await hasher.hash("p")), false);
});

test("many at once are all answered, and too many are told to come back", async () => {
  const hasher = new PasswordHasher({ rand: cryptoRand, rounds: 1 });
  const results = await Promise.allSettled(Array.from({ length: 400 }, () => hasher.hash("p")));
  const refused = results.filter((result) => result.status === "rejected");
  assert.ok(refused.length > 0 && refused.length <= 200, String(refused.length));
  assert.ok((await hasher.hash("p")).startsWith("$pbkdf2"));
});
