/** Every endpoint there is. A domain that is not listed here does not exist: servers refuse to bind it. */
import { apikeys } from "./apikeys.ts";
import { authcheck } from "./authcheck.ts";
import { deployment } from "./deployment.ts";
import { derp } from "./derp.ts";
import { dynamicparameters } from "./dynamicparameters.ts";
import type { Endpoint } from "./endpoint.ts";
import { files } from "./files.ts";
import { organizations } from "./organizations.ts";
import { provisionerdaemons } from "./provisionerdaemons.ts";
import { provisionerjobs } from "./provisionerjobs.ts";
import { provisionerkeys } from "./provisionerkeys.ts";
import { templates } from "./templates.ts";
import { templateversions } from "./templateversions.ts";
import { users } from "./users.ts";
import { usersettings } from "./usersettings.ts";
import { workspaceagents } from "./workspaceagents.ts";
import { workspacebuilds } from "./workspacebuilds.ts";
import { workspaces } from "./workspaces.ts";

export const contract = {
  apikeys,
  authcheck,
  deployment,
  derp,
  dynamicparameters,
  files,
  organizations,
  provisionerdaemons,
  provisionerjobs,
  provisionerkeys,
  templates,
  templateversions,
  users,
  usersettings,
  workspaceagents,
  workspacebuilds,
  workspaces,
} satisfies Readonly<Record<string, Readonly<Record<string, Endpoint>>>>;

export interface NamedEndpoint {
  /** `<domain>.<name>`, the operation id in OpenAPI. */
  readonly id: string;
  readonly endpoint: Endpoint;
}

export function allEndpoints(): NamedEndpoint[] {
  return Object.entries(contract).flatMap(([domain, endpoints]) =>
    Object.entries(endpoints).map(([name, endpoint]) => ({ id: `${domain}.${name}`, endpoint })),
  );
}
