/**
 * The block that `coder config-ssh` keeps in an OpenSSH client configuration: found, read, written. Pure. Everything
 * outside the two marker lines belongs to the user and is never touched.
 *
 *     # ------------START-CODER-----------
 *     # :wait=no                              options that were given, read back by the next run
 *     Host coder.*                            by prefix: coder.<workspace>
 *     Host *.coder                            by suffix: <workspace>.coder
 *     Match host *.coder !exec "… connect exists %h"   unless Coder Connect serves the name
 *     # ------------END-CODER------------
 */
import { UserError } from "../errors.ts";

const startMarker = "# ------------START-CODER-----------";
const endMarker = "# ------------END-CODER------------";

export interface Split {
  readonly before: string;
  /** With both marker lines; undefined where there is none yet. */
  readonly section: string | undefined;
  readonly after: string;
}

/** The newline before the block belongs to it, so that a removed block leaves nothing behind. */
export function splitConfig(text: string): Split {
  const lines = text.split("\n");
  const at = (marker: string): number[] =>
    lines.flatMap((line, index) => (line.trim() === marker ? [index] : []));
  const starts = at(startMarker);
  const ends = at(endMarker);
  const [start] = starts;
  const [end] = ends;
  if (start === undefined && end === undefined) return { before: text, section: undefined, after: "" };
  if (starts.length > 1) throw malformed("more than one START-CODER line");
  if (ends.length > 1) throw malformed("more than one END-CODER line");
  if (start === undefined) throw malformed("an END-CODER line without START-CODER");
  if (end === undefined) throw malformed("a START-CODER line without END-CODER");
  if (end < start) throw malformed("the END-CODER line stands before START-CODER");
  const offset = (line: number): number => lines.slice(0, line).join("\n").length + (line > 0 ? 1 : 0);
  const from = offset(start);
  const to = Math.min(offset(end + 1), text.length);
  return {
    before: text.slice(0, from).replace(/(^|\n)\n$/, "$1"),
    section: text.slice(from, to),
    after: text.slice(to),
  };
}

const malformed = (what: string): UserError =>
  new UserError(`Malformed config: ${what}; mend the file by hand, nothing was written`);

/** What a person chose; only what differs from the defaults is stored. */
export interface SshOptions {
  readonly wait: "auto" | "yes" | "no";
  readonly disableAutostart: boolean;
  /** Empty: the deployment's. */
  readonly hostPrefix: string;
  readonly hostnameSuffix: string;
  /** `key=value` or `key value`, as given. */
  readonly sshOptions: readonly string[];
  readonly headers: readonly string[];
  readonly headerCommand: string;
}

export const defaultOptions: SshOptions = {
  wait: "auto",
  disableAutostart: false,
  hostPrefix: "",
  hostnameSuffix: "",
  sshOptions: [],
  headers: [],
  headerCommand: "",
};

/** `key=value` for each option that is not the default, in the order in which they are stored. */
export function optionLines(options: SshOptions): string[] {
  return [
    ...(options.wait === "auto" ? [] : [`wait=${options.wait}`]),
    ...(options.hostPrefix === "" ? [] : [`ssh-host-prefix=${options.hostPrefix}`]),
    ...(options.hostnameSuffix === "" ? [] : [`hostname-suffix=${options.hostnameSuffix}`]),
    ...(options.disableAutostart ? ["disable-autostart=true"] : []),
    ...options.sshOptions.map((one) => `ssh-option=${one}`),
    ...options.headers.map((one) => `header=${one}`),
    ...(options.headerCommand === "" ? [] : [`header-command=${options.headerCommand}`]),
  ];
}

/** The options of the last run, out of the block's comments. Keys that nobody knows are ignored. */
export function storedOptions(section: string): SshOptions {
  const values = (key: string): string[] =>
    section
      .split("\n")
      .flatMap((line) => (line.startsWith(`# :${key}=`) ? [line.slice(key.length + 4).trim()] : []));
  const wait = values("wait").at(-1);
  return {
    wait: wait === "yes" || wait === "no" ? wait : "auto",
    disableAutostart: values("disable-autostart").at(-1) === "true",
    hostPrefix: values("ssh-host-prefix").at(-1) ?? "",
    hostnameSuffix: values("hostname-suffix").at(-1) ?? "",
    sshOptions: values("ssh-option"),
    headers: values("header"),
    headerCommand: values("header-command").at(-1) ?? "",
  };
}

/** What the deployment says (`GET /api/v2/deployment/ssh`). */
export interface Deployment {
  readonly hostPrefix: string;
  readonly hostnameSuffix: string;
  readonly options: Readonly<Record<string, string>>;
}

export interface SectionInput {
  readonly options: SshOptions;
  readonly deployment: Deployment;
  readonly binary: string;
  readonly configDir: string;
  readonly skipProxyCommand?: boolean;
}

const builtinOptions = [
  "ConnectTimeout=0",
  "StrictHostKeyChecking=no",
  // Host keys say nothing here: the tunnel below has authenticated the workspace already.
  "UserKnownHostsFile=/dev/null",
  "LogLevel ERROR",
];

/** Keys that run programs, load libraries, or open another block; no server may set them on a user's machine. */
const forbidden = new Set(
  "proxycommand proxyjump localcommand permitlocalcommand remotecommand knownhostscommand match host include pkcs11provider securitykeyprovider xauthlocation".split(
    " ",
  ),
);

/** First word of an option line, in lower case. */
const keyOf = (line: string): string => (/^[^\s=]*/.exec(line.trim())?.[0] ?? "").toLowerCase();
const valueOf = (line: string): string => line.trim().replace(/^[^\s=]*[\s=]*/, "");

function deploymentLines(options: Readonly<Record<string, string>>): string[] {
  return Object.keys(options)
    .toSorted()
    .map((key) => {
      const value = options[key] ?? "";
      if (!/^[A-Za-z][A-Za-z0-9]*$/.test(key) || forbidden.has(key.toLowerCase())) {
        throw new UserError(`the deployment's ssh option ${JSON.stringify(key)} is refused; tell its admin`);
      }
      refuseControls(value, `the deployment's ssh option ${key}`);
      return `${key} ${value}`;
    });
}

/** The user's come first, then the deployment's, then ours; the first of a key wins, an empty value removes the key. */
function mergeOptions(...sources: readonly (readonly string[])[]): string[] {
  const out: string[] = [];
  const seen = new Set<string>();
  for (const source of sources) {
    const keys = new Set<string>();
    for (const line of source) {
      const key = keyOf(line);
      if (seen.has(key)) continue;
      keys.add(key);
      if (valueOf(line) !== "") out.push(line.trim());
    }
    for (const key of keys) seen.add(key);
  }
  return out;
}

export function renderSection(input: SectionInput): string {
  const { options, deployment } = input;
  const prefix = options.hostPrefix || deployment.hostPrefix;
  const suffix = (options.hostnameSuffix || deployment.hostnameSuffix).replace(/^\./, "");
  for (const [name, text] of [
    ["host prefix", prefix],
    ["hostname suffix", suffix],
  ]) {
    // Both go into host patterns and into a command line.
    if (!/^[A-Za-z0-9._-]*$/.test(text ?? "")) {
      throw new UserError(
        `the ${name} may have letters, digits, ".", "-" and "_" only: received ${JSON.stringify(text)}`,
      );
    }
  }
  for (const one of options.sshOptions) refuseControls(one, "an --ssh-option");
  const lines = mergeOptions(options.sshOptions, deploymentLines(deployment.options), builtinOptions).map(
    (line) => `\t${line}`,
  );
  const chosen = optionLines(options);
  const out = [
    startMarker,
    "# `coder config-ssh` wrote this block and replaces it when it runs again.",
    "# Change its options there, not here; to be rid of it, delete it with both marker lines.",
    "#",
  ];
  if (chosen.length > 0) {
    out.push("# Last config-ssh options:", ...chosen.map((line) => `# :${line}`), "#");
  }
  const command = (flag: string, value: string): string =>
    `\tProxyCommand ${proxyCommand(input, flag, value)}`;
  if (prefix !== "") {
    out.push(`Host ${prefix}*`, ...lines);
    if (!input.skipProxyCommand) out.push(command("--ssh-host-prefix", prefix));
  }
  if (suffix !== "") {
    if (prefix !== "") out.push("");
    out.push(`Host *.${suffix}`, ...lines);
    if (!input.skipProxyCommand) {
      out.push(
        "",
        `Match host *.${suffix} !exec "${execPath(input.binary)} connect exists %h"`,
        command("--hostname-suffix", suffix),
      );
    }
  }
  return `${[...out, endMarker].join("\n")}\n`;
}

function proxyCommand({ binary, configDir, options }: SectionInput, flag: string, value: string): string {
  return [
    shellWord(binary),
    "--global-config",
    shellWord(configDir),
    ...options.headers.flatMap((header) => ["--header", quoted(header)]),
    ...(options.headerCommand === "" ? [] : ["--header-command", quoted(options.headerCommand)]),
    "ssh",
    "--stdio",
    ...(options.wait === "auto" ? [] : [`--wait=${options.wait}`]),
    ...(options.disableAutostart ? ["--disable-autostart=true"] : []),
    flag,
    value,
    "%h",
  ].join(" ");
}

/** OpenSSH expands `%`, then hands the line to the user's shell. */
const shellWord = (text: string): string =>
  /^[A-Za-z0-9_./~:@%+,=-]+$/.test(text) ? doubled(text) : quoted(text);

function quoted(text: string): string {
  refuseControls(text, "a path, header or header command");
  return `"${doubled(text.replace(/[\\"$`]/g, "\\$&"))}"`;
}

const doubled = (text: string): string => text.replaceAll("%", "%%");

/** Inside `!exec "…"` OpenSSH knows no escape for a quote; the shell takes a backslash before a blank. */
function execPath(path: string): string {
  refuseControls(path, "the path of the program");
  if (path.includes('"')) {
    throw new UserError(`the path of the program must not contain a quote: ${path}; see --coder-binary-path`);
  }
  return doubled(path.replace(/[\\ $`'&;|<>()*?[\]#~!{}]/g, "\\$&"));
}

function refuseControls(text: string, what: string): void {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text)) {
    throw new UserError(`${what} must not contain line breaks: received ${JSON.stringify(text)}`);
  }
}

/** The whole file with this block in it. */
export function withSection({ before, after }: Split, section: string): string {
  if (before === "") return section + after;
  return `${before}${before.endsWith("\n") ? "" : "\n"}\n${section}${after}`;
}
