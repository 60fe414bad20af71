/**
 * The two shell scripts that start a release. Both end in the same `exec`: the release's own dynamic loader (named
 * `bin/coder`, so that the process is called coder) loads `lib/coder.bin` with the release's own C library, and so does
 * not care which one the machine has, or whether it has one. `$0` goes along as argv[0]: the program learns from it how it
 * was called (`selfPath` in util).
 *
 *     tree launcher    <tree>/coder: the tree is unpacked; 30 lines, no extraction
 *     self-extractor   one file: unpacks itself once into a cache, by content hash; later starts run no other program
 *
 * They run under dash, bash, mksh and busybox, also where PATH leads nowhere.
 */
import { dirname } from "node:path/posix";
import type { Member } from "./pack.ts";

/** Members begin at multiples of this, so that dd finds them without reading what precedes. */
export const blockSize = 4096;

export const treeLauncher = `#!/bin/sh
# Coder. Starts the program that lies beside this file, with its own loader and libraries.
self=$0
while [ -h "$self" ]; do
  link=$(readlink "$self") || exit 127
  case $link in /*) self=$link ;; *) self=\${self%/*}/$link ;; esac
done
case $self in */*) tree=\${self%/*} ;; *) tree=. ;; esac
case $tree in /*) ;; *) tree=$PWD/$tree ;; esac
exec "$tree/bin/coder" --library-path "$tree/lib" --argv0 "$0" "$tree/lib/coder.bin" "$@"
`;

export interface PackedMember extends Member {
  /** Blocks from the start of the file. */
  readonly start: number;
  readonly blocks: number;
}

export interface ExtractorFacts {
  /** Names the folder in caches. */
  readonly hash: string;
  readonly arch: string;
  /** Size of the whole file in bytes. */
  readonly size: number;
  /** The header's own size in blocks. */
  readonly members: readonly PackedMember[];
  readonly archive: PackedMember | undefined;
}

/**
 * Where it unpacks: the first of these that is its user's own, writable and executable. Folders of others, links and
 * file systems mounted noexec are passed over; only what is owned by the user is ever run.
 */
export function selfExtractor(facts: ExtractorFacts): string {
  const folders = [...new Set(facts.members.map(({ path }) => dirname(path)))].filter(
    (folder) => folder !== ".",
  );
  const present = facts.members.map(({ path }) => `[ -f "$d/${path}" ]`).join(" && ");
  const { archive } = facts;
  return `#!/bin/sh
# Coder for linux-${facts.arch}: a shell script that carries its program. It unpacks itself once, then starts that.
# CODER_BINARY_CACHE says where to (default: your cache folder, else /var/tmp, /tmp, /dev/shm, beside this file).
id=coder-${facts.hash}
self=$0
ready() { [ -O "$1" ] && [ ! -h "$1" ] && d=$1/$id && [ -O "$d" ] && [ ! -h "$d" ] && [ -x "$d/bin/coder" ] && ${present}${archive ? ' && [ -f "$d/.archive" ]' : ""}; }
start() { d=$1/$id; shift; exec "$d/bin/coder" --library-path "$d/lib" --argv0 "$self" "$d/lib/coder.bin" "$@"; }
own=
[ -n "\${HOME:-}" ] && [ -O "$HOME" ] && own=$HOME/.cache/coder
xdg=\${XDG_CACHE_HOME:+$XDG_CACHE_HOME/coder}
for base in "\${CODER_BINARY_CACHE:-}" "$xdg" "$own"; do
  [ -n "$base" ] && ready "$base" && start "$base" "$@"
done
uid=x
while read -r key value rest; do [ "$key" = Uid: ] && uid=$(( \${rest%%[!0-9]*} )) && break; done 2>/dev/null </proc/self/status
here=\${self%/*}
[ "$here" = "$self" ] && here=.
for base in "/var/tmp/coder-$uid" "/tmp/coder-$uid" "/dev/shm/coder-$uid" "$here/.coder-$uid"; do
  ready "$base" && start "$base" "$@"
done

# Not unpacked yet. Other programs are called only from here on.
say() { printf 'coder: %s\\n' "$*" >&2; }
had=\${PATH+set} path=\${PATH:-} mask=$(umask)
PATH=\${PATH:+$PATH:}/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
for tool in dd gzip mkdir mv rm chmod${archive ? " tar" : ""}; do
  command -v "$tool" >/dev/null 2>&1 && continue
  command -v busybox >/dev/null 2>&1 || { say "cannot unpack: neither $tool nor busybox is on this machine"; exit 127; }
  eval "$tool() { busybox $tool \\"\\$@\\"; }"
done
[ -r "$self" ] || { say "cannot read myself at $self"; exit 127; }
member() { dd if="$self" bs=${blockSize} skip="$2" count="$3" 2>/dev/null | gzip -dc >"$tmp/$1" && chmod "$4" "$tmp/$1"; }
unpack() {
${facts.members.map(({ path, start, blocks, mode }) => `  member ${path} ${start} ${blocks} ${mode.toString(8)} || return 1`).join("\n")}
${archive ? `  dd if="$self" bs=${blockSize} skip=${archive.start} count=${archive.blocks} 2>/dev/null | gzip -dc | (cd "$tmp" && tar -xf -) || return 1\n  : >"$tmp/.archive"` : "  :"}
}
broken() {
  say "this file is incomplete or damaged (it should have ${facts.size} bytes): download it again"
  exit 1
}
tried=
umask 077
for base in "\${CODER_BINARY_CACHE:-}" "$xdg" "$own" "/var/tmp/coder-$uid" "/tmp/coder-$uid" "/dev/shm/coder-$uid" "$here/.coder-$uid"; do
  [ -n "$base" ] || continue
  tried="$tried $base"
  mkdir -p "$base" 2>/dev/null
  { [ -d "$base" ] && [ -O "$base" ] && [ ! -h "$base" ] && [ -w "$base" ]; } || continue
  tmp=$base/.$id.$$
  rm -rf "$tmp"
  mkdir "$tmp" 2>/dev/null || continue
  trap 'rm -rf "$tmp"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  # A file system that does not execute is found out before the large part is written.
  printf '#!/bin/sh\\n' >"$tmp/probe" && chmod 700 "$tmp/probe" && "$tmp/probe" 2>/dev/null || { rm -rf "$tmp"; continue; }
  rm -f "$tmp/probe"
  mkdir -p${folders.map((folder) => ` "$tmp/${folder}"`).join("")}
  # Short of space is the folder's fault, anything else is this file's.
  if ! unpack 2>"$tmp/errors"; then
    if [ -s "$tmp/errors" ] && dd if=/dev/zero of="$tmp/probe" bs=65536 count=2200 2>/dev/null; then broken; fi
    rm -rf "$tmp"
    tried="$tried(full?)"
    continue
  fi
  rm -f "$tmp/errors"
  chmod 700 "$tmp"
  if ! "$tmp/bin/coder" --library-path "$tmp/lib" "$tmp/lib/coder.bin" --version >/dev/null 2>"$tmp/errors"; then
    say "this program is for linux-${facts.arch} and does not run on this machine:"
    while read -r line; do say "$line"; done <"$tmp/errors"
    exit 126
  fi
  rm -f "$tmp/errors"
  # The first of several wins; what stands there without being ready (a cleaner took files) gives way.
  ready "$base" || { [ -e "$base/$id" ] && mv "$base/$id" "$tmp/old" 2>/dev/null; mv "$tmp" "$base/$id" 2>/dev/null; rm -rf "$base/$id/old" "$base/$id/.$id.$$"; }
  rm -rf "$tmp"
  trap - EXIT INT TERM HUP
  ready "$base" || continue
  # Versions that nobody here has used for long. Other machines may share the folder: hence a month.
  for old in "$base"/coder-* "$base"/.coder-*; do
    [ "$old" != "$d" ] && [ -n "$(find "$old" -prune -mtime +30 2>/dev/null)" ] || continue
    for exe in /proc/[0-9]*/exe; do [ "$exe" -ef "$old/bin/coder" ] && continue 2; done
    rm -rf "$old"
  done
  if [ -n "$had" ]; then PATH=$path; else unset PATH; fi
  umask "$mask"
  start "$base" "$@"
done
say "found no folder to unpack to: it must be yours, writable, executable and have 150 MB free. Tried:$tried"
say "CODER_BINARY_CACHE=/some/folder names one"
exit 126
`;
}
