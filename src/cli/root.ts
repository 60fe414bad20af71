/** The tree of commands of the whole program: server, provisioner, client and agent. */
import { program } from "./commands.ts";
import { provisionerCommand } from "./provisioner/provisioner.ts";
import { serverCommand } from "./server/server.ts";

export const root = program({ more: [provisionerCommand, serverCommand], slim: false });
