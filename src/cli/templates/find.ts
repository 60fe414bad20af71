/** Templates and versions by the names that a command line gives. */
import { contract } from "#codersdk/contract.ts";
import type { Client } from "#codersdk/client.ts";
import type { Template } from "#codersdk/templates.ts";
import type { TemplateVersion } from "#codersdk/templateversions.ts";
import type { Invocation } from "#serpent/command.ts";
import { UserError } from "../errors.ts";
import { pickOrganization } from "../organization.ts";

/** Of the organization that --org or membership says. */
export async function getTemplate(inv: Invocation, client: Client, name: string): Promise<Template> {
  const organization = await pickOrganization(inv, client);
  return await client.call(contract.templates.getByName, {
    params: { organization: organization.id, templatename: name },
    signal: inv.signal,
  });
}

export async function getVersion(
  inv: Invocation,
  client: Client,
  template: Template,
  name: string,
): Promise<TemplateVersion> {
  return await client.call(contract.templates.versionByName, {
    params: { template: template.id, templateversionname: name },
    signal: inv.signal,
  });
}

/** Templates of these names; without names the only one there is. */
export async function getTemplates(
  inv: Invocation,
  client: Client,
  names: readonly string[],
): Promise<Template[]> {
  if (names.length > 0) return await Promise.all(names.map((name) => getTemplate(inv, client, name)));
  const organization = await pickOrganization(inv, client);
  const found = await client.call(contract.templates.listOfOrganization, {
    params: { organization: organization.id },
    signal: inv.signal,
  });
  const [only] = found;
  if (found.length === 1 && only) return [only];
  throw new UserError(
    found.length === 0
      ? "there are no templates"
      : `name the templates; there are ${found.map(({ name }) => name).join(", ")}`,
  );
}
