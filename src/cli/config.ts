/** The configuration directory: plain text files, one value each, 0600 in a 0750 directory. Shared with stock clients. */
import { mkdir, readFile, rm, writeFile, rename } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

export type ConfigFile = "url" | "session" | "organization" | "dotfilesurl";

export interface ConfigDir {
  readonly path: string;
  /** Trimmed; undefined if the file is absent or empty. */
  read(file: ConfigFile): Promise<string | undefined>;
  write(file: ConfigFile, value: string): Promise<void>;
  /** An absent file is fine. */
  remove(file: ConfigFile): Promise<void>;
}

export function defaultConfigPath(env: NodeJS.ProcessEnv): string {
  return join(env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config"), "coderv2");
}

export function configDir(path: string): ConfigDir {
  return {
    path,
    async read(file) {
      try {
        return (await readFile(join(path, file), "utf8")).trim() || undefined;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw new Error(`cannot read ${join(path, file)}`, { cause: error });
      }
    },
    async write(file, value) {
      await mkdir(path, { recursive: true, mode: 0o750 });
      // A reader never sees half a token: written beside, then renamed.
      const part = join(path, `.${file}.part`);
      await writeFile(part, value, { mode: 0o600 });
      await rename(part, join(path, file));
    },
    remove: (file) => rm(join(path, file), { force: true }),
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
