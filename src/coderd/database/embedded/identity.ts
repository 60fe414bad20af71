/**
 * Under which user the database runs. PostgreSQL refuses root, so as root we take a user id that nobody else uses; it
 * needs no entry in /etc/passwd to run, only initdb wants one, and borrows any ordinary user for that moment.
 */
import { chown, lchown, lstat, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { EmbeddedPostgresError } from "./diagnose.ts";

export interface Identity {
  /** Set when we are root: the ids to change to. */
  readonly run?: Ids;
  readonly initdb?: Ids;
  /** Owner of the files and of the socket folder. */
  readonly uid: number;
}

export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** Outside the ranges that distributions give out, inside the first 65536 that containers map. */
const privateId = 64_533;

export async function chooseIdentity(): Promise<Identity> {
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0) return { uid };
  const run = { uid: privateId, gid: privateId };
  return { uid: privateId, run, initdb: await ordinaryUser() };
}

async function ordinaryUser(): Promise<Ids> {
  const users = (await readFile("/etc/passwd", "utf8").catch(() => ""))
    .split("\n")
    .map((line) => line.split(":"))
    .map(([name = "", , uid = "", gid = ""]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter((user) => user.name !== "" && Number.isInteger(user.uid) && user.uid > 0);
  const chosen = users.find((user) => user.name === "nobody") ?? users[0];
  if (!chosen) {
    throw new EmbeddedPostgresError(
      "built-in PostgreSQL: started as root, and /etc/passwd has no other user to run initdb: add one (nobody), " +
        "or set CODER_PG_CONNECTION_URL to a PostgreSQL server (15 or newer)",
    );
  }
  return { uid: chosen.uid, gid: chosen.gid };
}

/** Gives a whole tree to a user. Only for trees that we made a moment ago. */
export async function giveTree(path: string, ids: Ids): Promise<void> {
  await lchown(path, ids.uid, ids.gid);
  if (!(await lstat(path)).isDirectory()) return;
  await Promise.all((await readdir(path)).map((name) => giveTree(join(path, name), ids)));
}

/**
 * A folder that only the database's user may enter. /tmp is everybody's, so what is there already is trusted only if
 * it is a real folder of that user with mode 0700.
 */
export async function privateFolder(path: string, identity: Identity): Promise<void> {
  const made = await mkdir(path, { mode: 0o700 }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
      throw error;
    },
  );
  if (made && identity.run) await chown(path, identity.run.uid, identity.run.gid);
  const found = await lstat(path);
  if (!found.isDirectory() || found.uid !== identity.uid || (found.mode & 0o077) !== 0) {
    throw new EmbeddedPostgresError(
      `built-in PostgreSQL: ${path} exists but is not a folder of user id ${identity.uid} with mode 0700: remove it`,
    );
  }
}
