/**
 * How much of a machine, or of the container that this runs in, is used. Reads files only: templates' metadata scripts
 * run this every few seconds. `root` is where /proc and /sys are found, so that tests bring their own.
 */
import { readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#quartz/clock.ts";

export interface Usage {
  readonly used: number;
  /** Null: no limit. */
  readonly total: number | null;
  readonly unit: "cores" | "B";
}

export interface Machine {
  readonly root: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** How long the processor is watched. */
const sampleMs = 100;

async function text({ root }: Machine, path: string): Promise<string | undefined> {
  try {
    return (await readFile(join(root, path), "utf8")).trim();
  } catch {
    return undefined;
  }
}

/** The number that the file holds; undefined where it holds none, such as `max`. */
async function number(machine: Machine, path: string): Promise<number | undefined> {
  const value = await text(machine, path);
  return value !== undefined && /^-?\d+$/.test(value) ? Number(value) : undefined;
}

const field = (table: string | undefined, name: string): number | undefined => {
  const match = new RegExp(`^${name}:?\\s+(\\d+)`, "m").exec(table ?? "");
  return match ? Number(match[1]) : undefined;
};

export async function isContainer(machine: Machine): Promise<boolean> {
  const marks = await Promise.all(
    [".dockerenv", "run/.containerenv", "var/run/secrets/kubernetes.io"].map((path) =>
      readFile(join(machine.root, path)).then(
        () => true,
        (error: NodeJS.ErrnoException) => error.code === "EISDIR",
      ),
    ),
  );
  if (marks.includes(true)) return true;
  return /docker|kubepods|containerd|libpod|lxc/.test((await text(machine, "proc/1/cgroup")) ?? "");
}

export async function hostCpu(machine: Machine): Promise<Usage> {
  const read = async (): Promise<{ idle: number; all: number; cores: number }> => {
    const stat = (await text(machine, "proc/stat")) ?? "";
    // user nice system idle iowait irq softirq steal; guests are counted in user already.
    const fields = (/^cpu +(.+)$/m.exec(stat)?.[1] ?? "").split(" ").slice(0, 8).map(Number);
    return {
      idle: (fields[3] ?? 0) + (fields[4] ?? 0),
      all: fields.reduce((sum, one) => sum + one, 0),
      cores: stat.match(/^cpu\d+ /gm)?.length ?? 1,
    };
  };
  const before = await read();
  await machine.clock.sleep(sampleMs, { signal: machine.signal });
  const after = await read();
  const passed = after.all - before.all;
  const busy = passed > 0 ? 1 - (after.idle - before.idle) / passed : 0;
  return { used: Math.max(0, busy) * after.cores, total: after.cores, unit: "cores" };
}

export async function hostMemory(machine: Machine): Promise<Usage> {
  const table = await text(machine, "proc/meminfo");
  const total = (field(table, "MemTotal") ?? 0) * 1024;
  return { used: total - (field(table, "MemAvailable") ?? 0) * 1024, total, unit: "B" };
}

export async function disk(path: string): Promise<Usage> {
  const { blocks, bfree, bsize } = await statfs(path);
  return { used: (blocks - bfree) * bsize, total: blocks * bsize, unit: "B" };
}

/** Nanoseconds of processor time that the container has used; undefined where no control group tells. */
async function cpuTime(machine: Machine): Promise<number | undefined> {
  const usec = field(await text(machine, "sys/fs/cgroup/cpu.stat"), "usage_usec");
  return usec === undefined ? await number(machine, "sys/fs/cgroup/cpuacct/cpuacct.usage") : usec * 1000;
}

async function cpuLimit(machine: Machine): Promise<number | null> {
  const [quota, period] = ((await text(machine, "sys/fs/cgroup/cpu.max")) ?? "").split(" ").map(Number);
  if (quota && period) return quota / period;
  const old = {
    quota: await number(machine, "sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
    period: await number(machine, "sys/fs/cgroup/cpu/cpu.cfs_period_us"),
  };
  return old.quota !== undefined && old.period && old.quota > 0 ? old.quota / old.period : null;
}

export async function containerCpu(machine: Machine): Promise<Usage | undefined> {
  const before = await cpuTime(machine);
  if (before === undefined) return undefined;
  const begin = machine.clock.monotonic();
  await machine.clock.sleep(sampleMs, { signal: machine.signal });
  const passed = Math.max(machine.clock.monotonic() - begin, 1) * 1e6;
  const used = ((await cpuTime(machine)) ?? before) - before;
  return { used: Math.max(0, used / passed), total: await cpuLimit(machine), unit: "cores" };
}

/** Above this a limit means none: version 1 writes the largest page-aligned number. */
const noLimit = 2 ** 60;

export async function containerMemory(machine: Machine): Promise<Usage | undefined> {
  const two = await number(machine, "sys/fs/cgroup/memory.current");
  const used = two ?? (await number(machine, "sys/fs/cgroup/memory/memory.usage_in_bytes"));
  if (used === undefined) return undefined;
  const [stat, limit] =
    two === undefined
      ? ([await text(machine, "sys/fs/cgroup/memory/memory.stat"), "memory/memory.limit_in_bytes"] as const)
      : ([await text(machine, "sys/fs/cgroup/memory.stat"), "memory.max"] as const);
  // Files that can be dropped at any time are no use.
  const cache = field(stat, two === undefined ? "total_inactive_file" : "inactive_file") ?? 0;
  const total = await number(machine, `sys/fs/cgroup/${limit}`);
  return {
    used: Math.max(0, used - cache),
    total: total === undefined || total >= noLimit ? null : total,
    unit: "B",
  };
}
