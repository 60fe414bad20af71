/** The user that the agent runs as: name, home, login shell. A uid without a passwd line is fine. */
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";

export interface AgentUser {
  readonly name: string;
  readonly home: string;
  /** Login shell: passwd, else `$SHELL`, else /bin/sh. */
  readonly shell: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Reads the passwd file anew: an image may add its user after the agent has started. */
export function currentUser(env: Env, passwdFile = "/etc/passwd"): AgentUser {
  const uid = process.getuid?.() ?? -1;
  const line = passwdLine(passwdFile, uid) ?? systemUser();
  return {
    name: line?.name ?? env["USER"] ?? String(uid),
    home: env["HOME"] || line?.home || "/",
    shell: line?.shell || env["SHELL"] || "/bin/sh",
  };
}

function passwdLine(file: string, uid: number): AgentUser | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
  // name:password:uid:gid:gecos:home:shell
  for (const line of text.split("\n")) {
    const [name, , id, , , home = "", shell = ""] = line.split(":");
    if (name && id === String(uid)) return { name, home, shell: shell.trim() };
  }
  return undefined;
}

/** Users that do not come from the file (LDAP and the like): the C library knows them. */
function systemUser(): AgentUser | undefined {
  try {
    const { username, homedir, shell } = userInfo();
    return { name: username, home: homedir, shell: shell ?? "" };
  } catch {
    return undefined;
  }
}
