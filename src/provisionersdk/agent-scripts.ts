/**
 * What a new machine runs first: it downloads the agent from the deployment and becomes it. Engines export these to the
 * Terraform provider, which fills `${ACCESS_URL}` (ends with a slash) and `${AUTH_TYPE}`; the result is the agent's
 * `init_script`. The server also serves them at /api/v2/init-script/{os}/{arch}.
 *
 * The token is not in them: templates pass CODER_AGENT_TOKEN. A failure sleeps for a day, so that the machine's log can
 * still be read.
 */

const linux = `#!/usr/bin/env sh
set -eu

# Keeps the machine, and with it this log, when something fails.
stay() {
	status=$?
	[ "$status" -eq 0 ] && return
	echo "Coder: the agent could not be started (status $status). This script sleeps for 24 hours, so that its log can be read." >&2
	sleep 86400
}
trap stay EXIT

BINARY_DIR="\${BINARY_DIR:-}"
[ -n "$BINARY_DIR" ] || BINARY_DIR="$(mktemp -d "\${TMPDIR:-/tmp}/coder.XXXXXX")"
BINARY_URL="\${ACCESS_URL}bin/coder-linux-\${ARCH}"
mkdir -p "$BINARY_DIR"
cd "$BINARY_DIR"

download() {
	if command -v curl >/dev/null 2>&1; then
		curl -fsSL --compressed "$BINARY_URL" -o coder
	elif command -v wget >/dev/null 2>&1; then
		wget -q "$BINARY_URL" -O coder
	elif command -v busybox >/dev/null 2>&1; then
		busybox wget -q "$BINARY_URL" -O coder
	else
		echo "Coder: neither curl nor wget is here to download the agent: install one of them." >&2
		exit 127
	fi
}

until download; do
	echo "Coder: $BINARY_URL could not be downloaded; trying again in 30 seconds." >&2
	sleep 30
done

chmod +x coder || {
	echo "Coder: $BINARY_DIR/coder could not be made executable." >&2
	exit 1
}

if [ -n "\${USE_CAP_NET_ADMIN:-}" ]; then
	if [ "$(id -u)" -eq 0 ]; then
		command -v capsh >/dev/null 2>&1 && ! capsh --has-p=CAP_NET_ADMIN >/dev/null 2>&1 &&
			echo "Coder: this container lacks CAP_NET_ADMIN; connections may be slower." >&2 || true
	elif ! { command -v capsh && command -v setcap && sudo -n setcap CAP_NET_ADMIN=+ep ./coder; } >/dev/null 2>&1; then
		echo "Coder: CAP_NET_ADMIN could not be given to the agent (it needs setcap, capsh and sudo without a password); connections may be slower." >&2
	fi
fi

export CODER_AGENT_AUTH="\${AUTH_TYPE}"
export CODER_AGENT_URL="\${ACCESS_URL}"

case "$(./coder --version 2>&1 | head -n1)" in
*Coder*) ;;
*)
	echo "Coder: what was downloaded from $BINARY_URL is not the agent. Is the access URL right?" >&2
	exit 2
	;;
esac
exec ./coder agent
`;

const darwin = `#!/usr/bin/env sh
set -eu

# Keeps the machine, and with it this log, when something fails.
stay() {
	status=$?
	[ "$status" -eq 0 ] && return
	echo "Coder: the agent could not be started (status $status). This script sleeps for 24 hours, so that its log can be read." >&2
	sleep 86400
}
trap stay EXIT

BINARY_DIR="$(mktemp -d "\${TMPDIR:-/tmp}/coder.XXXXXX")"
BINARY_URL="\${ACCESS_URL}bin/coder-darwin-\${ARCH}"
cd "$BINARY_DIR"

until curl -fsSL --compressed "$BINARY_URL" -o coder; do
	echo "Coder: $BINARY_URL could not be downloaded; trying again in 30 seconds." >&2
	sleep 30
done

chmod +x coder || {
	echo "Coder: $BINARY_DIR/coder could not be made executable." >&2
	exit 1
}

export CODER_AGENT_AUTH="\${AUTH_TYPE}"
export CODER_AGENT_URL="\${ACCESS_URL}"

case "$(./coder --version 2>&1 | head -n1)" in
*Coder*) ;;
*)
	echo "Coder: what was downloaded from $BINARY_URL is not the agent. Is the access URL right?" >&2
	exit 2
	;;
esac
exec ./coder agent
`;

// VS Code finds its remote session only where the process above it is named sshd.
const windows = `$ErrorActionPreference = "Stop"
$ProgressPreference = "SilentlyContinue"
[Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12

function Stay($message) {
	Write-Output "Coder: $message This script sleeps for 24 hours, so that its log can be read."
	Start-Sleep -Seconds 86400
	exit 1
}

$url = "\${ACCESS_URL}/bin/coder-windows-\${ARCH}.exe"
$file = "$env:TEMP\\sshd.exe"

# The virus scanner would hold each start of the agent; where it is absent or locked there is nothing to except.
if (Get-Command -Name Add-MpPreference -ErrorAction SilentlyContinue) {
	try { Add-MpPreference -ExclusionPath $file } catch { }
}

while ($true) {
	try {
		Invoke-WebRequest -UseBasicParsing -Uri $url -OutFile $file
		break
	} catch {
		Write-Output "Coder: $url could not be downloaded; trying again in 30 seconds. $_"
		Start-Sleep -Seconds 30
	}
}

$env:CODER_AGENT_AUTH = "\${AUTH_TYPE}"
$env:CODER_AGENT_URL = "\${ACCESS_URL}"

if (-not ((& $file --version) -match "Coder")) {
	Stay "What was downloaded from $url is not the agent. Is the access URL right?"
}

# A container lives as long as its first process; elsewhere the agent must outlive this script.
$container = Get-ItemProperty -Path "HKLM:\\SYSTEM\\CurrentControlSet\\Control" -Name ContainerType -ErrorAction SilentlyContinue
if ($container) {
	Start-Process -FilePath $file -ArgumentList "agent" -NoNewWindow -Wait
} else {
	Start-Process -FilePath $file -ArgumentList "agent" -WindowStyle Hidden
}
`;

const platforms = {
  linux: { script: linux, archs: ["amd64", "arm64", "armv7"] },
  darwin: { script: darwin, archs: ["amd64", "arm64"] },
  windows: { script: windows, archs: ["amd64", "arm64"] },
} as const;

/** By `<os>_<arch>` in Go's names: `linux_amd64`. */
export const agentScripts: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(platforms).flatMap(([os, { script, archs }]) =>
    archs.map((arch) => [`${os}_${arch}`, script.replaceAll("${ARCH}", arch)]),
  ),
);

/** A script for a deployment. Undefined for an unknown pair of system and machine. */
export function agentScript(options: {
  readonly os: string;
  readonly arch: string;
  /** Ends with a slash. */
  readonly accessUrl: string;
  readonly authType: string;
}): string | undefined {
  const key = `${options.os}_${options.arch}`;
  const script = Object.hasOwn(agentScripts, key) ? agentScripts[key] : undefined;
  return script
    ?.replaceAll("${ACCESS_URL}", () => options.accessUrl)
    .replaceAll("${AUTH_TYPE}", () => options.authType);
}
