/**
 * Starter templates: folders with a README whose head says what they are. Read once, when the server starts; offered by
 * `GET templates/examples`, and made into a version by their name (`example_id`).
 */
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { packTar } from "modern-tar";
import type { TemplateExample } from "#codersdk/templates.ts";

export interface Example {
  readonly about: TemplateExample;
  /** Folder of its files. */
  readonly dir: string;
}

/** Beside the sources; a program in one file has none. */
export const defaultExamplesDir = join(import.meta.dirname, "../../../examples");

const maxReadme = 64 * 1024;

export async function readExamples(dir: string = defaultExamplesDir): Promise<Example[]> {
  const names = await readdir(dir, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    names.filter((entry) => entry.isDirectory()).map(({ name }) => readExample(join(dir, name), name)),
  );
  return found.filter((one) => one !== undefined).toSorted((a, b) => (a.about.id < b.about.id ? -1 : 1));
}

async function readExample(dir: string, id: string): Promise<Example | undefined> {
  const text = await readFile(join(dir, "README.md"), "utf8").catch(() => "");
  const match = /^---\n(.*?)\n---\n+(.*)$/s.exec(text.slice(0, maxReadme));
  if (!match) return undefined;
  const [, head = "", markdown = ""] = match;
  const field = (name: string): string => new RegExp(`^${name}: *(.*)$`, "m").exec(head)?.[1]?.trim() ?? "";
  const tags = /^\[(.*)\]$/.exec(field("tags"))?.[1] ?? "";
  const about = {
    id,
    url: "",
    name: field("display_name") || id,
    description: field("description"),
    icon: field("icon"),
    tags: tags
      .split(",")
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ""),
    markdown,
  };
  return { about, dir };
}

/** Its files as a template archive: the same bytes each time. */
export async function packExample({ dir }: Example): Promise<Uint8Array> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted();
  const files = await Promise.all(
    paths.map(async (path) => {
      const body = await readFile(path);
      const mode = path.endsWith(".sh") ? 0o755 : 0o644;
      const name = relative(dir, path).split(sep).join("/");
      return { header: { name, size: body.length, mode, type: "file" as const, mtime: new Date(0) }, body };
    }),
  );
  return await packTar(files);
}
