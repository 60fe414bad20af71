/** Every endpoint there is. A domain that is not listed here does not exist: servers refuse to bind it. */
import { deployment } from "./deployment.ts";
import type { Endpoint } from "./endpoint.ts";

export const contract = {
  deployment,
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
