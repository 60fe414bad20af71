/** Which organization a command means: the option, else the only one there is. */
import type { Client } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import type { Organization } from "#codersdk/organizations.ts";
import type { Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { UserError } from "./errors.ts";

export const orgOption = option(types.string, {
  flag: "org",
  shorthand: "O",
  env: "CODER_ORGANIZATION",
  description: "Organization, by name or id.",
});

export async function pickOrganization(inv: Invocation, client: Client): Promise<Organization> {
  const wanted = inv.get(orgOption);
  const mine = await client.call(contract.organizations.ofUser, {
    params: { user: "me" },
    signal: inv.signal,
  });
  if (wanted !== "") {
    const found = mine.find((one) => one.id === wanted || one.name.toLowerCase() === wanted.toLowerCase());
    return (
      found ??
      (await client.call(contract.organizations.get, {
        params: { organization: wanted },
        signal: inv.signal,
      }))
    );
  }
  const [only] = mine;
  if (mine.length === 1 && only) return only;
  const names = mine.map((one) => one.name).join(", ");
  throw new UserError(`Must select an organization with --org=<org_name>. Choose from: ${names}`);
}
