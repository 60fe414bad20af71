/** `coder users`: accounts of a deployment. */
import type { Command } from "#serpent/command.ts";
import { createUser } from "./create.ts";
import { editRoles } from "./edit-roles.ts";
import { listUsers, showUserCommand } from "./list.ts";
import { activateUser, deleteUser, suspendUser } from "./status.ts";

export const usersCommand: Command = {
  use: "users [subcommand]",
  aliases: ["user"],
  short: "Manage users.",
  children: [createUser, listUsers, showUserCommand, suspendUser, activateUser, editRoles, deleteUser],
};
