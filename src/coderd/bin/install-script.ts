/** `/install.sh`: puts the command line of this very server onto a machine. Plain sh; texts go to stderr. */

export interface InstallFacts {
  /** The access URL: what the script downloads from. */
  readonly origin: string;
  readonly version: string;
}

/** In single quotes for sh. */
const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

export function installScript({ origin, version }: InstallFacts): string {
  return `#!/bin/sh
# Installs the coder command line from a server. Usage:
#   curl -fsSL ${origin.replaceAll(/[^\w:/.[\]-]/g, "")}/install.sh | sh
#   … | sh -s -- --prefix DIR     into DIR/bin; default /usr/local where that is writable or sudo works, else ~/.local
#   … | sh -s -- --dry-run        says what it would do
set -eu
origin=${quote(origin.replace(/\/+$/, ""))}
version=${quote(version)}
prefix= dry=
say() { printf '%s\\n' "$*" >&2; }
fail() { say "install: $*"; exit 1; }
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) [ $# -gt 1 ] || fail "--prefix needs a folder"; prefix=$2; shift 2 ;;
    --prefix=*) prefix=\${1#--prefix=}; shift ;;
    --dry-run) dry=1; shift ;;
    -h|--help) say "usage: install.sh [--prefix DIR] [--dry-run]"; exit 0 ;;
    *) fail "unknown argument $1; there are --prefix DIR and --dry-run" ;;
  esac
done
case $(uname -s) in
  Linux) os=linux ;;
  Darwin) os=darwin ;;
  *) fail "no binary for $(uname -s); on Windows fetch $origin/bin/coder-windows-amd64.exe" ;;
esac
case $(uname -m) in
  x86_64|amd64) arch=amd64 ;;
  aarch64|arm64) arch=arm64 ;;
  armv7l|armv8l) arch=armv7 ;;
  *) fail "no binary for the machine $(uname -m)" ;;
esac
url=$origin/bin/coder-$os-$arch
as=
if [ -z "$prefix" ]; then
  prefix=/usr/local
  if ! { [ -d "$prefix/bin" ] && [ -w "$prefix/bin" ]; }; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then as="sudo -n"; else prefix=\${HOME:?}/.local; fi
  fi
fi
target=$prefix/bin/coder
say "Installing coder $version ($os-$arch) from $url to $target"
[ -z "$dry" ] || exit 0
part=$(mktemp "\${TMPDIR:-/tmp}/coder.XXXXXX")
trap 'rm -f "$part"' EXIT
if command -v curl >/dev/null 2>&1; then curl -fSL --compressed -o "$part" "$url" || fail "$url could not be downloaded"
elif command -v wget >/dev/null 2>&1; then wget -O "$part" "$url" || fail "$url could not be downloaded"
else fail "neither curl nor wget is here"; fi
if head -c 300 "$part" | grep -qi '<html\\|<!doctype'; then fail "$url answered with a web page: is there a login proxy before the server?"; fi
$as mkdir -p "$prefix/bin"
$as cp "$part" "$target.part"
$as chmod 755 "$target.part"
$as mv "$target.part" "$target"
"$target" --version >&2 || fail "$target does not run on this machine"
case ":\${PATH:-}:" in *":$prefix/bin:"*) ;; *) say "Note: $prefix/bin is not in your PATH." ;; esac
say "Next: coder login $origin"
`;
}
