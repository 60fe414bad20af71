/** Options that every command takes. */
import { homedir } from "node:os";
import { option } from "#serpent/option.ts";
import { debugOptions } from "#serpent/command.ts";
import * as types from "#serpent/values.ts";

const group = { name: "Global", description: "Options that apply to all commands." };

export const globals = {
  url: option(types.url, { flag: "url", env: "CODER_URL", group, description: "URL of the deployment." }),
  token: option(types.string, {
    flag: "token",
    env: "CODER_SESSION_TOKEN",
    group,
    secret: true,
    description: "Session token; wins over the one that `coder login` stored.",
  }),
  configDir: option(types.string, {
    flag: "global-config",
    env: "CODER_CONFIG_DIR",
    group,
    description: "Folder with the URL and session token. Default: ~/.config/coderv2.",
  }),
  header: option(types.strings, {
    flag: "header",
    env: "CODER_HEADER",
    group,
    description: "Further HTTP headers for all requests, as key=value. Can be given several times.",
  }),
  headerCommand: option(types.string, {
    flag: "header-command",
    env: "CODER_HEADER_COMMAND",
    group,
    description: "Shell command that prints further HTTP headers, one key=value a line.",
  }),
  noVersionWarning: option(types.bool, {
    flag: "no-version-warning",
    env: "CODER_NO_VERSION_WARNING",
    group,
    description: "Do not warn when client and server have different versions.",
  }),
  noFeatureWarning: option(types.bool, {
    flag: "no-feature-warning",
    env: "CODER_NO_FEATURE_WARNING",
    group,
    description: "Do not print warnings of the server about its features.",
  }),
  forceTty: option(types.bool, {
    flag: "force-tty",
    env: "CODER_FORCE_TTY",
    group,
    hidden: true,
    description: "Behave as at a terminal.",
  }),
  verbose: option(types.bool, {
    flag: "verbose",
    shorthand: "v",
    env: "CODER_VERBOSE",
    group,
    description: "Print more.",
  }),
  disableDirect: option(types.bool, {
    flag: "disable-direct-connections",
    env: "CODER_DISABLE_DIRECT_CONNECTIONS",
    group,
    description: "Reach workspaces over relays only.",
  }),
  disableNetworkTelemetry: option(types.bool, {
    flag: "disable-network-telemetry",
    env: "CODER_DISABLE_NETWORK_TELEMETRY",
    group,
    hidden: true,
    description: "Accepted for compatibility: this client reports nothing about its network.",
  }),
  useKeyring: option(types.bool, {
    flag: "use-keyring",
    env: "CODER_USE_KEYRING",
    default: "true",
    group,
    hidden: true,
    description: "Accepted for compatibility: on Linux the session token is always kept in a file.",
  }),
  noOpen: option(types.bool, {
    flag: "no-open",
    env: "CODER_NO_OPEN",
    group,
    hidden: true,
    description: "Do not open a browser.",
  }),
  version: option(types.bool, { flag: "version", hidden: true, description: "Print the version." }),
  debugOptions,
} as const;

/** `~` of the user who runs the command. */
export const homeOf = (env: NodeJS.ProcessEnv): string => env["HOME"] || homedir();
