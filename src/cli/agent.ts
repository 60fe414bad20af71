/** The agent: runs inside a workspace and dials home. Started by a template, not by people. */
import { mkdir, readFile } from "node:fs/promises";
import { flushCompileCache } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { version } from "#buildinfo/buildinfo.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { type AnyOption, option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { UserError } from "./errors.ts";

const url = option(types.string, {
  flag: "agent-url",
  env: "CODER_AGENT_URL",
  description: "Address of the server.",
});
const token = option(types.string, {
  flag: "agent-token",
  env: "CODER_AGENT_TOKEN",
  secret: true,
  description: "Token of the agent.",
});
const tokenFile = option(types.string, {
  flag: "agent-token-file",
  env: "CODER_AGENT_TOKEN_FILE",
  description: "File that holds the token.",
});
const logDir = option(types.string, {
  flag: "log-dir",
  env: "CODER_AGENT_LOG_DIR",
  description: "Folder for logs. Default: the system's folder for temporary files.",
});
const scriptDataDir = option(types.string, {
  flag: "script-data-dir",
  env: "CODER_AGENT_SCRIPT_DATA_DIR",
  description: "Folder for data of scripts. Default: the system's folder for temporary files.",
});
const header = option(types.strings, {
  flag: "agent-header",
  env: "CODER_AGENT_HEADER",
  description: "Header (key=value) of every request to the server.",
});
const sshMaxTimeout = option(types.duration, {
  flag: "ssh-max-timeout",
  env: "CODER_AGENT_SSH_MAX_TIMEOUT",
  default: "72h",
  description: "An ssh client that is silent for so long is dropped.",
});
const blockFileTransfer = option(types.bool, {
  flag: "block-file-transfer",
  env: "CODER_AGENT_BLOCK_FILE_TRANSFER",
  description: "Refuse scp, sftp, rsync and nc over ssh. A sign, not a wall.",
});
const blockReverse = option(types.bool, {
  flag: "block-reverse-port-forwarding",
  env: "CODER_AGENT_BLOCK_REVERSE_PORT_FORWARDING",
  description: "Refuse ssh -R.",
});
const blockLocal = option(types.bool, {
  flag: "block-local-port-forwarding",
  env: "CODER_AGENT_BLOCK_LOCAL_PORT_FORWARDING",
  description: "Refuse ssh -L.",
});
const noReap = option(types.bool, {
  flag: "no-reap",
  description: "Do not wait for orphans, although this is the first process of a container.",
});

export const agentCommand: Command = {
  use: "agent",
  short: "Run the agent of a workspace.",
  hidden: true,
  options: [
    url,
    token,
    tokenFile,
    logDir,
    scriptDataDir,
    header,
    sshMaxTimeout,
    blockFileTransfer,
    blockReverse,
    blockLocal,
    noReap,
  ] satisfies AnyOption[],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const { clock, rand, env } = inv;
    const address = inv.get(url);
    if (address === "") throw new UserError("which server? Give --agent-url or set CODER_AGENT_URL");
    const readToken = tokenReader(inv);
    await readToken();
    const logs = resolve(inv.get(logDir) || tmpdir());
    const data = resolve(inv.get(scriptDataDir) || tmpdir());
    await mkdir(logs, { recursive: true });
    const [{ Agent }, { startTailnetNetwork }, { fileLogger }, { logFileName }] = await Promise.all([
      import("#agent/agent.ts"),
      import("#agent/tailnet-network.ts"),
      import("#agent/log-file.ts"),
      import("#agent/log-tail.ts"),
    ]);
    const { log, close } = fileLogger(join(logs, logFileName), inv.stderr);
    log.info("starting", { url: address, version });
    const agent = Agent.start({
      url: address,
      token: readToken,
      headers: headersOf(inv),
      clock,
      rand,
      log,
      // Commands find this program, after whatever the machine has.
      env: inv.program === undefined ? env : { ...env, PATH: pathWith(env["PATH"], dirname(inv.program)) },
      binary: inv.program ?? "coder",
      logDir: logs,
      scriptDataDir: data,
      version,
      subsystems: subsystemsOf(env["CODER_AGENT_SUBSYSTEM"] ?? ""),
      startNetwork: startTailnetNetwork,
      sshMaxTimeoutMs: inv.get(sshMaxTimeout),
      blockFileTransfer: inv.get(blockFileTransfer),
      blockReverseForwarding: inv.get(blockReverse),
      blockLocalForwarding: inv.get(blockLocal),
    });
    // Programs write their compile cache when they end, which an agent does too late for the next one.
    agent.ready.then(
      () => flushCompileCache(),
      () => {},
    );
    if (!inv.signal.aborted) {
      await new Promise<void>((done) => inv.signal.addEventListener("abort", () => done(), { once: true }));
    }
    log.info("stopping");
    await agent[Symbol.asyncDispose]();
    log.info("stopped");
    await close();
  },
};

function pathWith(path: string | undefined, folder: string): string {
  return path ? `${path}:${folder}` : folder;
}

/** Read before each attempt: a file may have been replaced. */
function tokenReader(inv: Invocation): () => Promise<string> {
  const fixed = inv.get(token);
  const file = inv.get(tokenFile);
  return async () => {
    if (fixed !== "") return fixed;
    if (file === "") {
      throw new UserError("which agent? Give --agent-token, --agent-token-file or set CODER_AGENT_TOKEN");
    }
    try {
      return (await readFile(file, "utf8")).trim();
    } catch (cause) {
      throw new UserError(`the agent's token file ${file} cannot be read`, { cause });
    }
  };
}

function headersOf(inv: Invocation): Record<string, string> {
  return Object.fromEntries(
    inv.get(header).map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new UserError(`a header is key=value: received ${JSON.stringify(pair)}`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

const known = ["envbox", "envbuilder", "exectrace"] as const;

function subsystemsOf(text: string): (typeof known)[number][] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "")
    .map((name) => {
      const found = known.find((candidate) => candidate === name);
      if (!found) {
        throw new UserError(
          `CODER_AGENT_SUBSYSTEM knows ${known.join(", ")}: received ${JSON.stringify(name)}`,
        );
      }
      return found;
    });
}
