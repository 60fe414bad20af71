import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { tempDir } from "#testutil/testutil.ts";
import { PluginCache } from "./plugin-cache.ts";

const now = new Date("2026-01-31T00:00:00Z");

test("providers that no build has used for long go, and the folders that this leaves empty", async (t) => {
  const dir = await tempDir(t);
  const file = async (path: string, age: Date): Promise<string> => {
    const full = join(dir, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, "x");
    await utimes(full, age, age);
    return full;
  };
  const host = "registry.terraform.io";
  const stale = await file(`${host}/old/only/1.0.0/linux_amd64/p`, new Date("2025-12-01T00:00:00Z"));
  const fresh = await file(`${host}/hashicorp/null/3.0.0/linux_amd64/p`, new Date("2026-01-30T00:00:00Z"));
  await file(`${host}/hashicorp/null/2.0.0/linux_amd64/p`, new Date("2025-12-01T00:00:00Z"));
  const cache = new PluginCache(dir);
  await cache.exclusive(now, async () => {});
  assert.ok(!existsSync(stale));
  assert.ok(!existsSync(join(dir, host, "old")));
  assert.ok(existsSync(fresh));
  assert.ok(!existsSync(join(dir, host, "hashicorp/null/2.0.0")));
});

test("works take turns, also after one that fails; a missing folder is no error", async (t) => {
  const cache = new PluginCache(join(await tempDir(t), "missing"));
  const order: string[] = [];
  const first = cache.exclusive(now, async () => {
    order.push("first begins");
    await Promise.resolve();
    order.push("first fails");
    throw new Error("no");
  });
  const second = cache.exclusive(now, async () => order.push("second"));
  await assert.rejects(first, /no/);
  await second;
  assert.deepEqual(order, ["first begins", "first fails", "second"]);
});
