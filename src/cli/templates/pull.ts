/** `templates pull`: a version's files, unpacked into a folder or as an archive on standard output. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import type { Client } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import type { Template } from "#codersdk/templates.ts";
import type { TemplateVersion } from "#codersdk/templateversions.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { printable } from "../cliui/table.ts";
import { UserError } from "../errors.ts";
import { orgOption } from "../organization.ts";
import { connect } from "../session.ts";
import { confirmUnlessYes, yes } from "../transition.ts";
import { getTemplate, getVersion } from "./find.ts";

const tar = option(types.bool, { flag: "tar", description: "Write a tar archive to standard output." });
const zip = option(types.bool, { flag: "zip", description: "Write a zip archive to standard output." });
const version = option(types.string, {
  flag: "version",
  description: "Version to pull: a name, active or latest. Default: active.",
});

export const pullCommand: Command = {
  use: "pull <name> [destination]",
  short: "Write a template's files into a folder.",
  options: [tar, zip, version, yes, orgOption],
  args: { min: 1, max: 2 },
  async handler(inv) {
    if (inv.get(tar) && inv.get(zip)) throw new UserError("give either --tar or --zip");
    const { client } = await connect(inv);
    const [name = "", destination] = inv.args;
    const template = await getTemplate(inv, client, name);
    const chosen = await choose(inv, client, template);
    const bytes = await client.call(contract.files.download, {
      params: { fileID: chosen.job.file_id },
      query: { format: inv.get(zip) ? "zip" : "" },
      signal: inv.signal,
    });
    if (inv.get(tar) || inv.get(zip)) {
      inv.stdout.write(bytes);
      return;
    }
    await unpack(inv, bytes, resolve(inv.cwd, destination ?? template.name));
  },
};

async function choose(inv: Invocation, client: Client, template: Template): Promise<TemplateVersion> {
  const wanted = inv.get(version);
  if (wanted !== "" && wanted !== "active" && wanted !== "latest") {
    return await getVersion(inv, client, template, wanted);
  }
  const versions = await client.call(contract.templates.versions, {
    params: { template: template.id },
    signal: inv.signal,
  });
  const [latest] = versions.toSorted((a, b) => b.created_at.getTime() - a.created_at.getTime());
  const active = versions.find(({ id }) => id === template.active_version_id);
  if (!latest || !active) throw new UserError(`the template ${template.name} has no versions`);
  if (wanted === "latest") return latest;
  if (latest.id !== active.id && latest.created_at > active.created_at) {
    inv.stderr.write(
      `WARN: a newer version than the active one exists: ${printable(latest.name)}\r\n  | --version latest pulls it\r\n`,
    );
  }
  return active;
}

/** Most bytes of unpacked files; uploads are smaller by far. */
const limit = 512 * 1024 * 1024;

async function unpack(inv: Invocation, bytes: Uint8Array, target: string): Promise<void> {
  const { unpackTar } = await import("modern-tar");
  const there = await readdir(target).catch(() => []);
  if (there.length > 0) {
    await confirmUnlessYes(inv, `${target} is not empty. Overwrite files in it?`, "no");
  }
  const entries = await unpackTar(bytes);
  let size = 0;
  for (const { header, data } of entries) {
    const path = join(target, header.name);
    // What a server sends must not leave the folder.
    if (path !== target && !path.startsWith(target.endsWith(sep) ? target : target + sep)) {
      throw new UserError(`the archive has a path outside of its folder: ${JSON.stringify(header.name)}`);
    }
    size += data?.length ?? 0;
    if (size > limit) throw new UserError(`the archive unpacks to more than ${limit} bytes`);
    if (header.type === "directory") await mkdir(path, { recursive: true });
    else if (header.type === "file") {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, data ?? new Uint8Array(), { mode: (header.mode ?? 0o644) & 0o777 });
    } else inv.stderr.write(`Left out: ${printable(header.name)} (${header.type})\n`);
  }
  inv.stderr.write(`Extracted the template to ${target}\n`);
}
