/** Uploading a template's files, importing them as a version, and making that version the active one. */
import { readdir, readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { ClientError } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import { ProvisionerJobLog } from "#codersdk/provisionerjobs.ts";
import type { Template } from "#codersdk/templates.ts";
import type { TemplateVersion } from "#codersdk/templateversions.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { followJob, JobFailed } from "../builds.ts";
import { askText } from "../cliui/prompt.ts";
import { printable } from "../cliui/table.ts";
import { stampDisplay } from "../cliui/times.ts";
import { UserError } from "../errors.ts";
import { orgOption, pickOrganization } from "../organization.ts";
import { parsePairs, readParameterFile, type Value } from "../parameters.ts";
import { connect, type Session } from "../session.ts";
import { readAll } from "../stdin.ts";
import { confirmUnlessYes, yes } from "../transition.ts";
import { archiveTemplate } from "./archive.ts";

const directory = option(types.string, {
  flag: "directory",
  shorthand: "d",
  default: ".",
  description: "Folder of the template; - reads a tar archive from standard input.",
});
const versionName = option(types.string, {
  flag: "name",
  description: "Name of the new version. Default: made up.",
});
const message = option(types.string, {
  flag: "message",
  shorthand: "m",
  description: "What changed, in a line.",
});
const variable = option(types.strings, {
  flag: "variable",
  description: "A Terraform variable, as name=value. Can be given several times.",
});
const variablesFile = option(types.string, {
  flag: "variables-file",
  description: "YAML file that maps Terraform variables to values.",
});
const provisionerTag = option(types.strings, {
  flag: "provisioner-tag",
  description: "Tag (key=value) that the building daemon must have. Can be given several times.",
});
const activate = option(types.bool, {
  flag: "activate",
  default: "true",
  description: "Make the new version the active one.",
});
const provisioner = option(types.oneOf("terraform", "echo"), {
  flag: "test.provisioner",
  default: "terraform",
  hidden: true,
  description: "Engine, for tests.",
});

export const pushCommand: Command = {
  use: "push [template]",
  short: "Create or update a template from a folder.",
  options: [
    directory,
    versionName,
    message,
    variable,
    variablesFile,
    provisionerTag,
    activate,
    provisioner,
    orgOption,
    yes,
  ],
  args: { min: 0, max: 1 },
  async handler(inv) {
    const session = await connect(inv);
    const { client } = session;
    const dir = inv.get(directory);
    const fromStdin = dir === "-";
    const name = inv.args[0] ?? (fromStdin ? "" : basename(resolve(inv.cwd, dir)));
    if (name === "") {
      throw new UserError("an archive on standard input needs the template's name as argument");
    }
    const organization = await pickOrganization(inv, client);
    const template = await findTemplate(inv, session, organization.id, name);
    if (!fromStdin) await confirmUnlessYes(inv, `Upload ${JSON.stringify(dir)}?`);
    const archive = fromStdin ? await readAll(inv, stdinLimit) : await archiveTemplate(resolve(inv.cwd, dir));
    const { hash: fileId } = await client.call(contract.files.upload, {
      body: archive,
      headers: { "Content-Type": "application/x-tar" },
      signal: inv.signal,
    });
    const version = await importVersion(inv, session, {
      organizationId: organization.id,
      template,
      fileId,
      dir,
    });
    if (!template) {
      await client.call(contract.templates.create, {
        params: { organization: organization.id },
        body: {
          name,
          template_version_id: version.id,
          allow_user_cancel_workspace_jobs: null,
          disable_everyone_group_access: false,
          require_active_version: false,
          max_port_share_level: null,
          cors_behavior: null,
        },
        signal: inv.signal,
      });
    } else if (inv.get(activate)) {
      await client.call(contract.templates.promote, {
        params: { template: template.id },
        body: { id: version.id },
        signal: inv.signal,
      });
    }
    inv.stdout.write(`Updated version at ${stampDisplay(inv.clock.now())}!\n`);
  },
};

async function findTemplate(
  inv: Invocation,
  { client }: Session,
  organization: string,
  name: string,
): Promise<Template | undefined> {
  try {
    return await client.call(contract.templates.getByName, {
      params: { organization, templatename: name },
      signal: inv.signal,
    });
  } catch (error) {
    if (error instanceof ClientError && error.status === 404) return undefined;
    throw error;
  }
}

interface Upload {
  readonly organizationId: string;
  readonly template: Template | undefined;
  readonly fileId: string;
  readonly dir: string;
}

/** Imports; where required variables have no value, asks for them and imports again. */
async function importVersion(inv: Invocation, session: Session, upload: Upload): Promise<TemplateVersion> {
  const { client } = session;
  let values = await givenVariables(inv, upload.dir);
  for (let attempt = 0; ; attempt++) {
    const version = await client.call(contract.templateversions.create, {
      params: { organization: upload.organizationId },
      body: {
        name: inv.get(versionName),
        message: inv.get(message) || "Uploaded from the CLI",
        template_id: upload.template?.id ?? zeroUuid,
        storage_method: "file",
        file_id: upload.fileId,
        provisioner: inv.get(provisioner),
        tags: tagsOf(inv),
        user_variable_values: values,
      },
      signal: inv.signal,
    });
    const params = { templateversion: version.id };
    try {
      await followJob(inv, {
        get: async (signal) => (await client.call(contract.templateversions.get, { params, signal })).job,
        logs: (after, signal) =>
          client.stream(contract.templateversions.logs, ProvisionerJobLog, {
            params,
            query: { follow: true, after },
            signal,
          }),
        cancel: () => client.call(contract.templateversions.cancel, { params }),
        out: inv.stdout,
      });
      return version;
    } catch (error) {
      const missing = error instanceof JobFailed && error.code === "REQUIRED_TEMPLATE_VARIABLES";
      if (!missing || attempt > 0) throw error;
      values = [...values, ...(await askVariables(inv, session, version.id, values))];
    }
  }
}

function tagsOf(inv: Invocation): Record<string, string> {
  return Object.fromEntries(parsePairs(inv.get(provisionerTag)).map(({ name, value }) => [name, value]));
}

async function askVariables(
  inv: Invocation,
  { client }: Session,
  versionId: string,
  have: readonly Value[],
): Promise<Value[]> {
  const variables = await client.call(contract.templateversions.variables, {
    params: { templateversion: versionId },
    signal: inv.signal,
  });
  const out: Value[] = [];
  for (const one of variables) {
    if (!one.required || one.value !== "" || have.some(({ name }) => name === one.name)) continue;
    if (one.description) inv.stderr.write(`${printable(one.description)}\n`);
    out.push({
      name: one.name,
      value: await askText(inv, { text: `${one.name} (${one.type})`, secret: one.sensitive }),
    });
  }
  return out;
}

/** Later ones win: files that Terraform would read by itself, the YAML file, flags. */
async function givenVariables(inv: Invocation, dir: string): Promise<Value[]> {
  const values = new Map<string, string>();
  const add = (list: readonly Value[]): void => list.forEach(({ name, value }) => values.set(name, value));
  if (dir !== "-") add(await jsonVariables(resolve(inv.cwd, dir)));
  const file = inv.get(variablesFile);
  if (file !== "") add(await readParameterFile(await readFile(resolve(inv.cwd, file), "utf8"), file));
  add(parsePairs(inv.get(variable)));
  return [...values].map(([name, value]) => ({ name, value }));
}

async function jsonVariables(dir: string): Promise<Value[]> {
  const names = (await readdir(dir))
    .filter((name) => /^(terraform|.+\.auto)\.tfvars\.json$/.test(name))
    .toSorted();
  const lists = await Promise.all(
    names.map(async (name) => readParameterFile(await readFile(join(dir, name), "utf8"), name)),
  );
  return lists.flat();
}

/** Most bytes of an archive on standard input; the server takes no more. */
const stdinLimit = 100 * 1024 * 1024;
