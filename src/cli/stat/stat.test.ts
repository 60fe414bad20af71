import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { it, test, type TestContext } from "node:test";
import { realClock } from "#quartz/clock.ts";
import { tempDir } from "#testutil/testutil.ts";
import { runCli } from "../clitest/clitest.ts";
import { containerCpu, containerMemory, hostMemory, isContainer, type Machine } from "./measure.ts";
import { usageText } from "./stat.ts";

async function machine(t: TestContext, files: Readonly<Record<string, string>>): Promise<Machine> {
  const root = await tempDir(t);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return { root, clock: realClock, signal: AbortSignal.timeout(10_000) };
}

test("host memory, control groups of both versions, limits that are none", async (t) => {
  const host = await machine(t, { "proc/meminfo": "MemTotal:  8 kB\nMemFree: 1 kB\nMemAvailable:   2 kB\n" });
  assert.deepEqual(await hostMemory(host), { used: 6144, total: 8192, unit: "B" });
  assert.equal(await isContainer(host), false);
  assert.equal(await containerMemory(host), undefined);
  assert.equal(await containerCpu(host), undefined);

  const two = await machine(t, {
    ".dockerenv": "",
    "sys/fs/cgroup/memory.current": "1000\n",
    "sys/fs/cgroup/memory.max": "4000\n",
    "sys/fs/cgroup/memory.stat": "file 500\ninactive_file 300\n",
    "sys/fs/cgroup/cpu.stat": "usage_usec 5\nuser_usec 3\n",
    "sys/fs/cgroup/cpu.max": "150000 100000\n",
  });
  assert.equal(await isContainer(two), true);
  assert.deepEqual(await containerMemory(two), { used: 700, total: 4000, unit: "B" });
  assert.deepEqual(await containerCpu(two), { used: 0, total: 1.5, unit: "cores" });

  const one = await machine(t, {
    "proc/1/cgroup": "3:cpu:/docker/abc\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": "1000",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
    "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 100\n",
    "sys/fs/cgroup/cpuacct/cpuacct.usage": "77",
    "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
    "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
  });
  assert.equal(await isContainer(one), true);
  assert.deepEqual(await containerMemory(one), { used: 900, total: null, unit: "B" });
  assert.deepEqual(await containerCpu(one), { used: 0, total: null, unit: "cores" });
});

it("usage as text", () => {
  assert.equal(usageText({ used: 0.5, total: 2, unit: "cores" }), "0.5/2 cores (25%)");
  assert.equal(usageText({ used: 2 ** 30, total: 2 ** 32, unit: "B" }), "1/4 GiB (25%)");
  assert.equal(usageText({ used: 2 ** 20, total: null, unit: "B" }, "Mi"), "1 MiB");
});

test("coder stat: table, JSON, one value, without any server", async () => {
  const shown = await runCli(["stat"]);
  assert.match(
    shown.stdout,
    /^HOST CPU +HOST MEMORY +HOME DISK +CONTAINER CPU +CONTAINER MEMORY +\n.* cores /,
  );
  const [row] = JSON.parse((await runCli(["stat", "-o", "json"])).stdout);
  assert.deepEqual(Object.keys(row.host_memory), ["total", "unit", "used"]);
  assert.match(
    (await runCli(["stat", "mem", "--host", "--prefix", "Mi"])).stdout,
    /^[\d.]+\/[\d.]+ MiB \(\d+%\)\n$/,
  );
  assert.equal(JSON.parse((await runCli(["stat", "disk", "-o", "json"])).stdout).unit, "B");
  assert.equal((await runCli(["stat", "disk", "--path", "/nonexistent/x"])).status, 1);
});
