/**
 * A template's directory as the tar that the server takes: at most 1 MiB of content, no hidden files but Terraform's
 * lock, no state, no variable files that are read by themselves. Entries are sorted and carry no times or owners, so equal content gives equal bytes.
 */
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join, posix, relative, sep } from "node:path";
import { packTar, type TarEntry } from "modern-tar";
import { UserError } from "../errors.ts";

/** Most bytes of a template's files together. */
export const archiveLimit = 1024 * 1024;

export async function archiveTemplate(dir: string): Promise<Uint8Array> {
  const entries: TarEntry[] = [];
  let size = 0;
  for (const path of await list(dir, dir)) {
    const name = relative(dir, path).split(sep).join("/");
    const info = await lstat(path);
    if (info.isDirectory()) {
      entries.push({
        header: { name: `${name}/`, type: "directory", mode: 0o755, size: 0, mtime: new Date(0) },
      });
    } else if (info.isSymbolicLink()) {
      const target = await readlink(path);
      if (escapes(name, target)) throw new UserError(`${path} links to ${target}, outside of the template`);
      entries.push({
        header: { name, type: "symlink", linkname: target, mode: 0o777, size: 0, mtime: new Date(0) },
      });
    } else if (info.isFile()) {
      size += info.size;
      if (size > archiveLimit) {
        throw new UserError(
          `the template is too large: its files must be at most ${archiveLimit} bytes together`,
        );
      }
      const body = await readFile(path);
      const mode = (info.mode & 0o111) === 0 ? 0o644 : 0o755;
      entries.push({ header: { name, type: "file", mode, size: body.length, mtime: new Date(0) }, body });
    }
  }
  if (!entries.some(({ header }) => /^[^/]+\.tf(\.json)?$/.test(header.name))) {
    throw new UserError(`${dir} is not a template: it has no .tf or .tf.json files`);
  }
  return await packTar(entries);
}

async function list(dir: string, root: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of (await readdir(dir, { withFileTypes: true })).toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const path = join(dir, entry.name);
    if (isSkipped(relative(root, path).split(sep).join("/"))) continue;
    found.push(path);
    if (entry.isDirectory()) found.push(...(await list(path, root)));
  }
  return found;
}

/** State and variable files may hold secrets; hidden ones are of tools, but for Terraform's lock of provider versions. */
function isSkipped(name: string): boolean {
  const base = posix.basename(name);
  if (base === ".terraform.lock.hcl") return false;
  if (base.startsWith(".") || base.includes(".tfstate")) return true;
  return /^terraform\.tfvars(\.json)?$/.test(name) || /\.auto\.tfvars(\.json)?$/.test(base);
}

function escapes(name: string, target: string): boolean {
  if (target.startsWith("/")) return true;
  const resolved = posix.normalize(posix.join(posix.dirname(name), target));
  return resolved === ".." || resolved.startsWith("../");
}
