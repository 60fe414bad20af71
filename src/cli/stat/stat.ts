/** `coder stat`: what a workspace uses, for templates' metadata scripts and for people. Never asks the server. */
import { homedir } from "node:os";
import { resolve } from "node:path";
import type { Command, Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { renderJson } from "../cliui/table.ts";
import { tableOutput } from "../output.ts";
import {
  containerCpu,
  containerMemory,
  disk,
  hostCpu,
  hostMemory,
  isContainer,
  type Machine,
  type Usage,
} from "./measure.ts";

const units = { Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3, Ti: 1024 ** 4 } as const;
type Prefix = keyof typeof units;

/** `0.5/2 cores (25%)`, `1.9/7.8 GiB (24%)`. */
export function usageText({ used, total, unit }: Usage, prefix: Prefix = "Gi"): string {
  const scale = unit === "B" ? units[prefix] : 1;
  const digits = (value: number): string => String(Number((value / scale).toPrecision(3)));
  const name = unit === "B" ? `${prefix}B` : unit;
  if (total === null) return `${digits(used)} ${name}`;
  const percent = total > 0 ? Math.round((used / total) * 100) : 0;
  return `${digits(used)}/${digits(total)} ${name} (${percent}%)`;
}

const machineOf = (inv: Invocation): Machine => ({ root: "/", clock: inv.clock, signal: inv.signal });
const json = (usage: Usage): unknown => ({ total: usage.total, unit: usage.unit, used: usage.used });

const output = option(types.oneOf("text", "json"), {
  flag: "output",
  shorthand: "o",
  default: "text",
  description: "Output format.",
});
const host = option(types.bool, {
  flag: "host",
  description: "Measure the machine, even inside a container.",
});
const prefix = option(types.oneOf("Ki", "Mi", "Gi", "Ti"), {
  flag: "prefix",
  default: "Gi",
  description: "Size of the unit.",
});
const path = option(types.string, {
  flag: "path",
  default: "/",
  description: "Folder whose disk is measured.",
});

function print(inv: Invocation, usage: Usage, size: Prefix): void {
  inv.stdout.write(inv.get(output) === "json" ? renderJson(json(usage)) : `${usageText(usage, size)}\n`);
}

const cpu: Command = {
  use: "cpu",
  short: "Show how many cores are busy.",
  options: [host, output],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const machine = machineOf(inv);
    const inside = !inv.get(host) && (await isContainer(machine));
    print(inv, (inside ? await containerCpu(machine) : undefined) ?? (await hostCpu(machine)), "Gi");
  },
};

const mem: Command = {
  use: "mem",
  short: "Show how much memory is used.",
  options: [host, prefix, output],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const machine = machineOf(inv);
    const inside = !inv.get(host) && (await isContainer(machine));
    const usage = (inside ? await containerMemory(machine) : undefined) ?? (await hostMemory(machine));
    print(inv, usage, inv.get(prefix));
  },
};

const diskCommand: Command = {
  use: "disk",
  short: "Show how much of a disk is used.",
  options: [path, prefix, output],
  args: { min: 0, max: 0 },
  async handler(inv) {
    print(inv, await disk(resolve(inv.cwd, inv.get(path))), inv.get(prefix));
  },
};

interface Row {
  readonly host_cpu: Usage;
  readonly host_memory: Usage;
  readonly home_disk: Usage;
  readonly container_cpu: Usage | undefined;
  readonly container_memory: Usage | undefined;
}

const cell = (usage: Usage | undefined): string => (usage ? usageText(usage) : "");
const columns = [
  { name: "host cpu", cell: (row: Row) => cell(row.host_cpu) },
  { name: "host memory", cell: (row: Row) => cell(row.host_memory) },
  { name: "home disk", cell: (row: Row) => cell(row.home_disk) },
  { name: "container cpu", cell: (row: Row) => cell(row.container_cpu) },
  { name: "container memory", cell: (row: Row) => cell(row.container_memory) },
];
const table = tableOutput(
  columns,
  columns.map(({ name }) => name),
);

export const statCommand: Command = {
  use: "stat",
  short: "Show how much of this machine is used.",
  options: table.options,
  args: { min: 0, max: 0 },
  children: [cpu, diskCommand, mem],
  async handler(inv) {
    const machine = machineOf(inv);
    const inside = await isContainer(machine);
    const [hostCpuUse, hostMemoryUse, homeDisk, ownCpu, ownMemory] = await Promise.all([
      hostCpu(machine),
      hostMemory(machine),
      disk(inv.env["HOME"] || homedir()).catch(() => disk("/")),
      inside ? containerCpu(machine) : undefined,
      inside ? containerMemory(machine) : undefined,
    ]);
    const row: Row = {
      host_cpu: hostCpuUse,
      host_memory: hostMemoryUse,
      home_disk: homeDisk,
      container_cpu: ownCpu,
      container_memory: ownMemory,
    };
    const value = Object.fromEntries(
      Object.entries(row).map(([name, usage]: [string, Usage | undefined]) => [
        name,
        usage ? json(usage) : null,
      ]),
    );
    table.print(inv, [row], [value], "");
  },
};
