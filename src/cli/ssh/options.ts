/** What `coder ssh` takes. */
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";

export const sshOptions = {
  stdio: option(types.bool, {
    flag: "stdio",
    env: "CODER_SSH_STDIO",
    description:
      "Pass bytes between standard input and output and the workspace's ssh server, for ProxyCommand.",
  }),
  hostPrefix: option(types.string, {
    flag: "ssh-host-prefix",
    env: "CODER_SSH_SSH_HOST_PREFIX",
    description: "Prefix to strip from the host name.",
  }),
  hostSuffix: option(types.string, {
    flag: "hostname-suffix",
    env: "CODER_SSH_HOSTNAME_SUFFIX",
    description: "Suffix to strip from the host name.",
  }),
  wait: option(types.oneOf("yes", "no", "auto"), {
    flag: "wait",
    env: "CODER_SSH_WAIT",
    default: "auto",
    description: "Whether to wait for startup scripts; auto: where the template says so.",
  }),
  noWait: option(types.bool, {
    flag: "no-wait",
    env: "CODER_SSH_NO_WAIT",
    description: "Old spelling of --wait=no.",
  }),
  disableAutostart: option(types.bool, {
    flag: "disable-autostart",
    env: "CODER_SSH_DISABLE_AUTOSTART",
    default: "false",
    description: "Do not start a stopped workspace.",
  }),
  tty: option(types.bool, {
    flag: "tty",
    shorthand: "t",
    env: "CODER_SSH_TTY",
    description: "Run the command in a terminal.",
  }),
  env: option(types.strings, {
    flag: "env",
    shorthand: "e",
    env: "CODER_SSH_ENV",
    description: "Environment variable of the session, as name=value. Can be given several times.",
  }),
  forwardAgent: option(types.bool, {
    flag: "forward-agent",
    shorthand: "A",
    env: "CODER_SSH_FORWARD_AGENT",
    description: "Let programs in the workspace use your ssh agent (SSH_AUTH_SOCK).",
  }),
  identityAgent: option(types.string, {
    flag: "identity-agent",
    env: "CODER_SSH_IDENTITY_AGENT",
    description: "Socket of the ssh agent to forward, in place of SSH_AUTH_SOCK. Implies --forward-agent.",
  }),
  remoteForward: option(types.strings, {
    flag: "remote-forward",
    shorthand: "R",
    env: "CODER_SSH_REMOTE_FORWARD",
    description:
      "Port of the workspace that leads to this machine, as remote_port:local_address:local_port, or /remote.sock:/local.sock. Can be given several times.",
  }),
  logDir: option(types.string, {
    flag: "log-dir",
    shorthand: "l",
    env: "CODER_SSH_LOG_DIR",
    description: "Folder for a log of the connection, one file each.",
  }),
  networkInfoDir: option(types.string, {
    flag: "network-info-dir",
    description: "Folder for a file that tells how good the connection is, named by the parent process.",
  }),
  networkInfoInterval: option(types.duration, {
    flag: "network-info-interval",
    default: "5s",
    description: "How often that file is written.",
  }),
  usageApp: option(types.string, {
    flag: "usage-app",
    env: "CODER_SSH_USAGE_APP",
    hidden: true,
    description: "Program that the usage counts for; disable: none.",
  }),
  forceNewTunnel: option(types.bool, {
    flag: "force-new-tunnel",
    hidden: true,
    description: "Do not use Coder Connect where it runs.",
  }),
} as const;
