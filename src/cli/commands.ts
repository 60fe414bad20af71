/**
 * The commands that every program has. A command is data with a handler that imports what is heavy only when it runs.
 * root.ts adds the server's commands; slim.ts, for the program without a server, says in their place where they are.
 */
import type { Command } from "#serpent/command.ts";
import { renderHelp } from "#serpent/help.ts";
import { UsageError } from "#serpent/resolve.ts";
import { globals } from "./globals.ts";
import { agentCommand } from "./agent.ts";
import { autoupdateCommand } from "./autoupdate.ts";
import { favoriteCommand, unfavoriteCommand } from "./favorite.ts";
import { organizationsCommand } from "./organizations/organizations.ts";
import { publickeyCommand } from "./publickey.ts";
import { renameCommand } from "./rename.ts";
import { dotfilesCommand } from "./dotfiles/dotfiles.ts";
import { gitsshCommand } from "./git/gitssh.ts";
import { openCommand } from "./open/open.ts";
import { scheduleCommand } from "./schedule/schedule.ts";
import { completionCommand } from "./completion/completion.ts";
import { statCommand } from "./stat/stat.ts";
import { stateCommand } from "./state.ts";
import { usersCommand } from "./users/users.ts";
import { configSshCommand } from "./configssh/configssh.ts";
import { connectCommand } from "./connect.ts";
import { createCommand } from "./create.ts";
import { deleteCommand } from "./delete.ts";
import { listCommand } from "./list.ts";
import { logsCommand } from "./logs.ts";
import { restartCommand } from "./restart.ts";
import { showCommand } from "./show.ts";
import { startCommand } from "./start.ts";
import { stopCommand } from "./stop.ts";
import { updateCommand } from "./update.ts";
import { loginCommand } from "./login.ts";
import { loginLinkCommand } from "./login-link.ts";
import { logoutCommand } from "./logout.ts";
import { templatesCommand } from "./templates/templates.ts";
import { tokensCommand } from "./tokens.ts";
import { whoamiCommand } from "./whoami.ts";
import { pingCommand } from "./ping.ts";
import { portForwardCommand } from "./portforward/portforward.ts";
import { sshCommand } from "./ssh/ssh.ts";
import { vscodesshCommand } from "./ssh/vscodessh.ts";
import { newVersionCommand } from "./version.ts";

export interface ProgramFacts {
  /** Commands of this program beside the common ones. */
  readonly more: readonly Command[];
  readonly slim: boolean;
}

export function program({ more, slim }: ProgramFacts): Command {
  const versionCommand = newVersionCommand(slim);
  return {
    use: "coder <subcommand>",
    short: "Remote development environments on your own machines.",
    options: Object.values(globals),
    children: [
      agentCommand,
      autoupdateCommand,
      completionCommand,
      configSshCommand,
      connectCommand,
      createCommand,
      deleteCommand,
      dotfilesCommand,
      favoriteCommand,
      gitsshCommand,
      listCommand,
      logsCommand,
      openCommand,
      organizationsCommand,
      pingCommand,
      portForwardCommand,
      publickeyCommand,
      renameCommand,
      restartCommand,
      scheduleCommand,
      showCommand,
      sshCommand,
      startCommand,
      statCommand,
      stateCommand,
      stopCommand,
      unfavoriteCommand,
      updateCommand,
      loginCommand,
      loginLinkCommand,
      logoutCommand,
      templatesCommand,
      ...more,
      tokensCommand,
      usersCommand,
      vscodesshCommand,
      whoamiCommand,
      versionCommand,
    ],
    async handler(inv) {
      if (inv.get(globals.version)) return versionCommand.handler?.({ ...inv, command: versionCommand });
      const [word] = inv.args;
      if (word !== undefined) throw new UsageError(`unrecognized subcommand ${JSON.stringify(word)}`);
      inv.stdout.write(renderHelp([inv.command], inv.stdout.columns ?? 80));
    },
  };
}
