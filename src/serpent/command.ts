/**
 * A command is data: how it is used, its options, its children, and a handler. `run` walks from the root to the
 * command that the words name, resolves every option on the way, and calls the handler with an `Invocation`. Handlers
 * touch no globals: streams, environment, clock and signal come with the invocation, so tests run in-process.
 */
import type { Readable, Writable } from "node:stream";
import type { Clock } from "#quartz/clock.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import { parseFlags } from "./flags.ts";
import { renderHelp } from "./help.ts";
import { type AnyOption, type Option, option, optionName, type Source } from "./option.ts";
import { resolve, UsageError, type Values } from "./resolve.ts";
import * as types from "./values.ts";

/** What a command may touch of the world. */
export interface World {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: Readable & { isTTY?: boolean; fd?: number };
  readonly stdout: Writable & { isTTY?: boolean; columns?: number };
  readonly stderr: Writable & { isTTY?: boolean };
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly cwd: string;
  /** Absolute path of this program, for files that run it later. */
  readonly program?: string;
}

export interface Invocation extends World {
  readonly command: Command;
  /** Words from the root: `coder templates push`. */
  readonly name: string;
  readonly args: readonly string[];
  /** Number of `args` before `--`; undefined without one. */
  readonly dash: number | undefined;
  readonly values: Values;
  /** The value of an option of this command or of one above it. */
  get<T>(option: Option<T>): T;
}

export interface Command {
  /** Name and arguments: `create [workspace]`. */
  readonly use: string;
  readonly aliases?: readonly string[];
  readonly short: string;
  readonly long?: string;
  readonly hidden?: true;
  readonly options?: readonly AnyOption[];
  /** How many arguments it takes; without it any number. */
  readonly args?: { readonly min: number; readonly max: number };
  readonly children?: readonly Command[];
  readonly handler?: (invocation: Invocation) => Promise<void>;
  /** What its next argument may be, for the shell's completion. May ask the server. */
  readonly complete?: (invocation: Invocation) => Promise<readonly string[]>;
}

export const helpOption = option(types.bool, {
  flag: "help",
  shorthand: "h",
  description: "Show help.",
  hidden: true,
});
export const debugOptions = option(types.bool, {
  flag: "debug-options",
  description: "Print all options, where each value came from, and end.",
});

export const commandName = (command: Command): string => command.use.split(" ")[0] ?? "";

/** A handler failed: carries the command, so that the error can name it. Usage errors are not wrapped. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly command: string;
  constructor(command: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.command = command;
  }
}

export interface Found {
  readonly path: readonly Command[];
  readonly options: readonly AnyOption[];
  readonly parsed: ReturnType<typeof parseFlags>;
}

export function find(root: Command, argv: readonly string[]): Found {
  const path = [root];
  let options: AnyOption[] = [helpOption, ...(root.options ?? [])];
  let line = [...argv];
  for (;;) {
    const parsed = parseFlags(line, options);
    const current = path.at(-1) ?? root;
    const [word] = parsed.args;
    const child =
      word === undefined || parsed.dash === 0
        ? undefined
        : current.children?.find((one) => commandName(one) === word || one.aliases?.includes(word));
    if (!child) return { path, options, parsed };
    line = line.toSpliced(parsed.positions[0] ?? 0, 1);
    path.push(child);
    options = [...options, ...(child.options ?? [])];
  }
}

export async function run(root: Command, argv: readonly string[], world: World): Promise<void> {
  const { path, options, parsed } = find(root, argv);
  const command = path.at(-1) ?? root;
  const name = path.map(commandName).join(" ");
  const help = parsed.flags.some((flag) => flag.option === helpOption);
  if (parsed.unknown.length > 0 && !help) {
    throw new UsageError(`parsing flags for ${JSON.stringify(name)}: unknown flag: ${parsed.unknown[0]}`);
  }
  if (help || (!command.handler && parsed.args.length === 0)) {
    world.stdout.write(renderHelp(path, world.stdout.columns ?? 80));
    return;
  }
  if (!command.handler) throw new UsageError(`unrecognized subcommand ${JSON.stringify(parsed.args[0])}`);
  const values = resolve({ options, env: world.env, flags: parsed.flags });
  for (const warning of values.warnings) world.stderr.write(`${warning}\n`);
  if (values.get(debugOptions)) {
    world.stdout.write(sourcesTable(options.map((one) => [optionName(one), values.source(one)])));
    return;
  }
  checkCount(command, parsed.args);
  const invocation: Invocation = {
    ...world,
    command,
    name,
    args: parsed.args,
    dash: parsed.dash,
    values,
    get: (one) => values.get(one),
  };
  try {
    await command.handler(invocation);
  } catch (error) {
    throw error instanceof UsageError ? error : new CommandError(name, error);
  }
}

function checkCount(command: Command, args: readonly string[]): void {
  if (!command.args) return;
  const { min, max } = command.args;
  if (args.length >= min && args.length <= max) return;
  const got = `but got ${args.length} [${args.join(" ")}]`;
  if (max === Number.POSITIVE_INFINITY) throw new UsageError(`wanted at least ${min} args ${got}`);
  throw new UsageError(
    min === max ? `wanted ${min} args ${got}` : `wanted between ${min} and ${max} args ${got}`,
  );
}

function sourcesTable(rows: readonly (readonly [string, Source])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length), "Option".length) + 2;
  const lines = [["Option", "Value Source"] as const, ...rows.toSorted(([a], [b]) => (a < b ? -1 : 1))];
  return lines.map(([name, source]) => `${name.padEnd(width)}${source}`.trimEnd() + "\n").join("");
}
