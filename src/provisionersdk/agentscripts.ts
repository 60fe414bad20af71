/**
 * What a new machine runs first: fetch the `coder` program from the server, check it, become the agent. The engines
 * hand a script for each platform to the provider, which fills in `${ACCESS_URL}` (ends with a slash) and
 * `${AUTH_TYPE}`; the server serves the same at `/api/v2/init-script`. The agent's token comes by the environment, never
 * in the script. Programs are fetched from `/bin/` of the server.
 */

/** Go's names. */
const platforms = ["linux_amd64", "linux_arm64", "linux_armv7", "darwin_amd64", "darwin_arm64"] as const;

/** Waits before the machine ends itself after a failure, so that a person can look at it. */
const lookSeconds = 86_400;

function unixScript(os: string, arch: string): string {
  const fetchers =
    os === "linux"
      ? [
          'if command -v curl >/dev/null 2>&1; then curl -fsSL --compressed "$1" -o "$2"',
          '  elif command -v wget >/dev/null 2>&1; then wget -q "$1" -O "$2"',
          '  elif command -v busybox >/dev/null 2>&1; then busybox wget -q "$1" -O "$2"',
          '  else echo "error: this machine has none of curl, wget and busybox, so it cannot fetch the agent" >&2; exit 127',
          "  fi",
        ]
      : ['curl -fsSL --compressed "$1" -o "$2"'];
  return [
    "#!/usr/bin/env sh",
    "set -eu",
    `trap 'status=$?; [ "$status" -eq 0 ] || { echo "The agent did not start (status $status). Waiting a day, so that you can look." >&2; sleep ${lookSeconds}; }; exit "$status"' EXIT`,
    "fetch() {",
    `  ${fetchers.join("\n")}`,
    "}",
    'dir="${BINARY_DIR:-$(mktemp -d -t coder.XXXXXX)}"',
    `url="\${ACCESS_URL}bin/coder-${os}-${arch}"`,
    'cd "$dir"',
    'until fetch "$url" coder; do',
    '  status=$?; [ "$status" -ne 127 ] || exit "$status"',
    '  echo "Could not fetch $url (status $status); trying again in 30 seconds." >&2',
    "  sleep 30",
    "done",
    "chmod +x coder",
    'case "$(./coder --version 2>&1 | head -n1)" in',
    "  *Coder*) ;;",
    '  *) echo "error: what $url serves is no coder program" >&2; exit 2 ;;',
    "esac",
    'export CODER_AGENT_AUTH="${AUTH_TYPE}" CODER_AGENT_URL="${ACCESS_URL}"',
    "trap - EXIT",
    "exec ./coder agent",
    "",
  ].join("\n");
}

/** By `<os>_<arch>`, with the two placeholders left in. */
export function agentScripts(): Record<string, string> {
  return Object.fromEntries(
    platforms.map((platform) => {
      const [os = "", arch = ""] = platform.split("_");
      return [platform, unixScript(os, arch)];
    }),
  );
}

/** A filled-in script; undefined for a platform that has none. */
export function initScript(os: string, arch: string, accessUrl: string): string | undefined {
  const script = agentScripts()[`${os}_${arch}`];
  const url = accessUrl.endsWith("/") ? accessUrl : `${accessUrl}/`;
  return script?.replaceAll("${ACCESS_URL}", url).replaceAll("${AUTH_TYPE}", "token");
}
