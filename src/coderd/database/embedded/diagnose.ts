/** Turns what PostgreSQL or the file system said into one sentence that names a way out. */

const wayOut = "or set CODER_PG_CONNECTION_URL to a PostgreSQL server (15 or newer)";

export class EmbeddedPostgresError extends Error {
  override readonly name = "EmbeddedPostgresError";
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

const hints: readonly (readonly [RegExp, (where: string) => string])[] = [
  [
    /no space left on device|ENOSPC|disk quota/i,
    (where) => `the disk that holds ${where} is full: free some space, ${wayOut}`,
  ],
  [
    /could not look up effective user id/i,
    () => `this user id has no entry in /etc/passwd, which initdb wants: add one, ${wayOut}`,
  ],
  [
    /read-only file system|EROFS/i,
    (where) => `${where} is on a read-only file system: give the state another place, ${wayOut}`,
  ],
  [
    // Node says ENOENT for a folder that it cannot make on a read-only file system.
    /(ENOENT|ENOTDIR).*mkdir/i,
    (where) => `${where} cannot be made (a read-only file system?): give the state another place, ${wayOut}`,
  ],
  [
    /permission denied|EACCES|EPERM|operation not permitted/i,
    (where) => `${where} cannot be used by the database's user: make it writable, ${wayOut}`,
  ],
  [
    /could not create shared memory|could not map anonymous shared memory|cannot allocate memory/i,
    () => `the system does not give the database its memory: raise the limit, ${wayOut}`,
  ],
  [
    /invalid argument|EINVAL/i,
    () => `the database's own user id cannot be taken here: start as an ordinary user, ${wayOut}`,
  ],
  [
    /error while loading shared libraries|GLIBC_|not found \(required by/i,
    () => `the built-in PostgreSQL does not run on this system: use a glibc Linux, ${wayOut}`,
  ],
];

export function explain(step: string, where: string, said: string): EmbeddedPostgresError {
  const hint = hints.find(([pattern]) => pattern.test(said))?.[1](where) ?? `look at ${where}, ${wayOut}`;
  return new EmbeddedPostgresError(
    `built-in PostgreSQL: ${step} failed: ${hint}\n${said.trim().slice(-2000)}`,
  );
}

/** Refuses files of another major version before the server touches them. */
export function checkMajor(found: number, ours: number, where: string): void {
  if (found === ours) return;
  if (found > ours) {
    throw new EmbeddedPostgresError(
      `built-in PostgreSQL: ${where} was written by PostgreSQL ${found}, newer than the ${ours} of this release: ` +
        `use the release that wrote it, ${wayOut}`,
    );
  }
  throw new EmbeddedPostgresError(
    `built-in PostgreSQL: ${where} was written by PostgreSQL ${found}, older than the ${ours} of this release: ` +
      `dump it with the release that wrote it and restore it here, ${wayOut}`,
  );
}
