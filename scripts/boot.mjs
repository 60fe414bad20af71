/**
 * First step of every package script, in plain JavaScript for any Node ≥ 18: installs the packages on first use, finds
 * the Node that they bring, and runs the named program under it. Signals and the exit status pass through.
 *
 *   node scripts/boot.mjs NAME [ARG...]      NAME: a key of `programs`
 *
 * Programs of the product are bundled first, when their sources are newer than their last bundle.
 *
 * The stamp `node_modules/.boot-stamp` says what is installed (hash of the lock file, platform, mode) and is written
 * last, so an interrupted install is seen and done again.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** Lowest Node that runs the sources: older ones lose the tail of terminal output or cannot strip types. */
const minimum = [24, 21];

/**
 * What each package script runs. `production` programs need no development packages; those with a `bundle` run from
 * `.coder/program` (see program.ts): starting from the sources costs a second and 100 MB more.
 */
export const programs = {
  start: { production: true, bundle: "start", args: ["src/cmd/start.ts"] },
  cli: { production: true, bundle: "coder", args: ["src/cmd/coder.ts"] },
  test: { args: ["scripts/test.ts"] },
  ok: { args: ["scripts/ok.ts"] },
  gen: { args: ["scripts/gen.ts"] },
  lint: { args: ["scripts/ok.ts", "lint"] },
  format: { args: ["scripts/ok.ts", "format"] },
  bench: { args: ["scripts/bench.ts"] },
  vectors: { args: ["scripts/vectors.ts"] },
  crash: { args: ["scripts/crash.ts"] },
  build: { production: true, args: ["scripts/build.ts"] },
};

/** A mistake of the user or of the machine: printed as it is, without a stack. */
export class BootError extends Error {}

/** @param {{platform: string, arch: string, glibc: boolean}} machine */
export function checkPlatform(machine) {
  if (machine.platform === "linux" && machine.glibc && ["x64", "arm64"].includes(machine.arch)) return;
  const found = `${machine.platform} ${machine.arch}${machine.platform === "linux" && !machine.glibc ? " without glibc" : ""}`;
  throw new BootError(
    [
      `This machine is ${found}; running from a clone needs Linux with glibc on x64 or arm64.`,
      "Ways out:",
      "  - run it in a container or virtual machine with Debian, Ubuntu, Fedora or the like",
      "  - run the server on such a machine, and use the `coder` command-line binary here",
    ].join("\n"),
  );
}

/** Whether this version of Node can run the sources. @param {string} version such as "v24.21.0" */
export function nodeFits(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return major > minimum[0] || (major === minimum[0] && minor >= minimum[1]);
}

/** @param {string} dir @param {boolean} production */
export function stampOf(dir, production) {
  const hash = createHash("sha256");
  for (const file of ["package-lock.json", "package.json"]) {
    hash.update(readFileSync(join(dir, file))).update("\0");
  }
  return `${hash.digest("hex")} ${process.platform}-${process.arch} ${production ? "production" : "all"}`;
}

/** Installed packages are good for this mode: a full install serves production too. */
export function isInstalled(dir, production) {
  const file = join(dir, "node_modules/.boot-stamp");
  if (!existsSync(file)) return false;
  const stamp = readFileSync(file, "utf8").trim();
  return stamp === stampOf(dir, false) || (production && stamp === stampOf(dir, true));
}

/** Installs the packages unless they are there. One process installs; others wait for it. */
export async function install(dir, production) {
  if (isInstalled(dir, production)) return;
  const unlock = await lock(join(dir, ".coder"), "install.lock");
  try {
    if (isInstalled(dir, production)) return;
    // A development install must stay one: installing with --omit=dev would take its tools away.
    const all = !production || isDevelopmentInstall(dir);
    process.stderr.write("Installing packages (once)…\n");
    rmSync(join(dir, "node_modules/.boot-stamp"), { force: true });
    const lockFile = join(dir, "package-lock.json");
    const lockText = readFileSync(lockFile);
    const flags = [
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
      ...(all ? [] : ["--omit=dev"]),
    ];
    if ((await npm(dir, ["ci", ...flags])) !== 0) {
      const status = await npm(dir, ["install", ...flags]);
      // `npm install` of older versions rewrites the lock of a newer one.
      writeFileSync(lockFile, lockText);
      if (status !== 0) throw new BootError("npm could not install the packages; its messages are above.");
    }
    writeFileSync(join(dir, "node_modules/.boot-stamp"), stampOf(dir, !all) + "\n");
  } finally {
    unlock();
  }
}

function isDevelopmentInstall(dir) {
  const file = join(dir, "node_modules/.boot-stamp");
  return existsSync(file) && readFileSync(file, "utf8").trim().endsWith(" all");
}

/** Takes a lock file that names its process; a lock whose process is gone is broken. */
async function lock(dir, name) {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, name);
  for (let told = false; ;) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw new BootError(`Cannot write ${file}: ${error.message}`);
    }
    if (!holderLives(file)) {
      rmSync(file, { force: true });
      continue;
    }
    if (!told) process.stderr.write(`Another process holds ${file}; waiting for it…\n`);
    told = true;
    await new Promise((wake) => setTimeout(wake, 200));
  }
}

function holderLives(file) {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    // A lock that was just created may not have its number yet.
    if (!pid) return statSync(file).mtimeMs > Date.now() - 5000;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function npm(dir, args) {
  const script = process.env.npm_execpath;
  const [command, prefix] = script && /\.[cm]?js$/.test(script) ? [process.execPath, [script]] : ["npm", []];
  // Variables of an outer npm would change what the inner one does.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([key]) => !/^npm_(config_(omit|production)|lifecycle|package)/i.test(key),
    ),
  );
  return new Promise((done, fail) => {
    const child = spawn(command, [...prefix, ...args], {
      cwd: dir,
      env,
      stdio: ["ignore", "ignore", "inherit"],
    });
    const stop = forwardSignals(child);
    child.once("error", (error) => fail(new BootError(`Cannot run npm: ${error.message}`)));
    child.once("exit", (code, signal) => {
      stop();
      if (signal) fail(new BootError(`The install was stopped by ${signal}; it starts anew next time.`));
      else done(code);
    });
  });
}

/** Path of a Node that runs the sources: the installed one, else this one if it is new enough. */
export function findNode(dir) {
  const name = `node-${process.platform}-${process.arch}`;
  const file = join(dir, "node_modules", name, "bin/node");
  if (existsSync(file)) {
    const { stdout, error } = spawnSync(file, ["--version"], { encoding: "utf8" });
    if (!error && nodeFits(stdout.trim())) return file;
  }
  if (nodeFits(process.version)) return process.execPath;
  throw new BootError(
    [
      `The package ${name} is missing or does not run here, and this Node (${process.version}) is older than ${minimum.join(".")}.`,
      "npm leaves out optional packages without a word when a registry lacks them or --omit=optional is set.",
      `Remedy: npm install --include=optional, or start with a Node ≥ ${minimum.join(".")}.`,
    ].join("\n"),
  );
}

/** What the programs are made of: a change of any of it makes a new bundle. `./coder` looks at the same. */
const sources = ["src", "scripts/bundle.ts", "scripts/program.ts", "package.json", "package-lock.json"];

/** Key of the bundle that holds the present sources; undefined where it has to be made. @param {string} dir */
export function currentProgram(dir) {
  const file = join(dir, ".coder/program/current");
  let key, since;
  try {
    since = statSync(file).mtimeMs;
    key = readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
  const fits = /^[0-9a-f]{16}$/.test(key) && existsSync(join(dir, ".coder/program", key));
  return fits && !sources.some((name) => changedSince(join(dir, name), since)) ? key : undefined;
}

/** The change time sees what keeps its modification time when it is put in place: moves, archives, rsync. */
function changedSince(path, since) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  if (stat.ctimeMs > since) return true;
  return stat.isDirectory() && readdirSync(path).some((name) => changedSince(join(path, name), since));
}

/** Path of the program to run: its bundle, made first where it is old; the source where no bundle can be made. */
async function programFile(dir, program, node, env) {
  const file = (key) => join(dir, ".coder/program", key, `${program.bundle}.mjs`);
  let key = currentProgram(dir);
  if (key !== undefined) return file(key);
  const unlock = await lock(join(dir, ".coder"), "program.lock");
  try {
    key = currentProgram(dir);
    if (key !== undefined) return file(key);
    const status = await run(node, [join(dir, "scripts/program.ts")], env);
    key = status === 0 ? currentProgram(dir) : undefined;
  } finally {
    unlock();
  }
  if (key !== undefined) return file(key);
  process.stderr.write("The program could not be bundled (see above); it runs from its sources, slower.\n");
  return join(dir, program.args[0]);
}

/** Passes the signals that ask a program to end on to the child. Returns a function that stops it. */
function forwardSignals(child) {
  const pass = (signal) => child.kill(signal);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"];
  // At a terminal the whole foreground group gets Ctrl-C; a second SIGINT of ours would mean "now!" to the program.
  const sent = process.stdin.isTTY
    ? signals.filter((signal) => signal !== "SIGINT" && signal !== "SIGWINCH")
    : signals;
  for (const signal of signals) process.on(signal, sent.includes(signal) ? pass : () => {});
  return () => signals.forEach((signal) => process.removeAllListeners(signal));
}

/** Where a clone keeps its state, so that nobody's session of another installation is touched. */
export function cloneEnvironment(dir, env) {
  const state = join(dir, ".coder");
  return {
    CODER_CONFIG_DIR: join(state, "config"),
    CODER_CACHE_DIRECTORY: join(state, "cache"),
    NODE_COMPILE_CACHE: join(state, "cache/compile"),
    ...env,
  };
}

export async function main(name, args) {
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
  if (!program) {
    throw new BootError(
      `No program is named ${JSON.stringify(name)}; there are ${Object.keys(programs).join(", ")}.`,
    );
  }
  const glibc = process.report?.getReport?.().header.glibcVersionRuntime !== undefined;
  checkPlatform({ platform: process.platform, arch: process.arch, glibc });
  await install(root, program.production === true);
  const node = findNode(root);
  const env = cloneEnvironment(root, process.env);
  env.PATH = `${dirname(node)}${delimiter}${env.PATH ?? ""}`;
  // While the server starts; it shows the dashboard once that is there.
  if (name === "start" || (name === "cli" && args[0] === "server")) {
    const build = [join(root, "scripts/build-site.ts"), join(env.CODER_CACHE_DIRECTORY, "site/dashboard")];
    spawn(node, build, { env, stdio: ["ignore", "ignore", "inherit"] }).once("error", () => {});
  }
  const [script, ...first] = program.args;
  const file = program.bundle ? await programFile(root, program, node, env) : join(root, script);
  return await run(node, [file, ...first, ...args], env);
}

/** Runs a program to its end: its exit status, or as a shell says it where a signal ended it. */
async function run(node, args, env) {
  const child = spawn(node, args, { env, stdio: "inherit" });
  const stop = forwardSignals(child);
  return await new Promise((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code, signal) => {
      stop();
      done(signal ? 128 + constants.signals[signal] : code);
    });
  });
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [, , name = "", ...args] = process.argv;
  try {
    process.exitCode = await main(name, args);
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
