/** Who a workspace's agent is, for the programs that Git and scripts run beside it: the server and the agent's token. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Client } from "#codersdk/client.ts";
import type { Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { UserError } from "../errors.ts";
import { clientFor } from "../session.ts";

export const agentOptions = {
  token: option(types.string, {
    name: "Agent Token",
    flag: "agent-token",
    env: "CODER_AGENT_TOKEN",
    secret: true,
    description: "Token of the agent.",
  }),
  tokenFile: option(types.string, {
    name: "Agent Token File",
    flag: "agent-token-file",
    env: "CODER_AGENT_TOKEN_FILE",
    description: "File with the token of the agent.",
  }),
  url: option(types.url, {
    name: "Agent URL",
    flag: "agent-url",
    env: "CODER_AGENT_URL",
    description: "URL of the deployment, as the agent reaches it.",
  }),
} as const;

/** Throws where this is no workspace. */
export async function agentClient(inv: Invocation): Promise<Client> {
  const url = inv.get(agentOptions.url);
  const file = inv.get(agentOptions.tokenFile);
  const token =
    inv.get(agentOptions.token) ||
    (file === "" ? "" : (await readFile(resolve(inv.cwd, file), "utf8")).trim());
  if (url === "" || token === "") {
    throw new UserError(
      "this runs inside a workspace only: CODER_AGENT_URL and CODER_AGENT_TOKEN are not set",
    );
  }
  return (await clientFor(inv, url, token)).client;
}
