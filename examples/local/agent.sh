#!/bin/sh
# agent.sh start | stop | remove: one workspace's agent as a process of this machine.
#
#   LOCAL_ID                the workspace's id
#   CODER_LOCAL_AGENT       shell-quoted command line of an agent, from the built-in daemon; else LOCAL_INIT_SCRIPT runs
#   CODER_LOCAL_WORKSPACES  parent of the workspaces' folders
#
# Everything that runs for the workspace is found by a marker in its environment, and by the sessions of what has the
# marker. A PID namespace, where this machine allows one, ends the rest together with its first process.
set -eu

case ${LOCAL_ID:-} in
'' | *[!0-9a-fA-F-]*)
  echo "LOCAL_ID must be a workspace's id: received '${LOCAL_ID:-}'" >&2
  exit 1
  ;;
esac
root=${CODER_LOCAL_WORKSPACES:-${XDG_STATE_HOME:-${HOME:-/tmp}/.local/state}/coder/workspaces}
dir=$root/$LOCAL_ID
marker=CODER_LOCAL_WORKSPACE=$LOCAL_ID
pidfile=$dir/.coder/agent.pid
grace=${LOCAL_GRACE:-10}

# "pid ppid session" of every process.
processes() {
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    pid=${line%% *}
    # The name in parentheses may hold anything; what follows the last one is numbers.
    set -- ${line##*) }
    [ "$1" = Z ] || echo "$pid $2 $4"
  done
}

marked() {
  grep -lzxF -e "$marker" /proc/[0-9]*/environ 2>/dev/null | cut -d / -f 3
}

# Marked processes, and all in their sessions. Never this script's own session.
members() {
  found=$(marked) || true
  [ -n "$found" ] || return 0
  all=$(processes)
  own=$(echo "$all" | while read -r pid ppid sid; do [ "$pid" != $$ ] || echo "$sid"; done)
  sessions=$(echo "$all" | while read -r pid ppid sid; do
    case " $(echo $found) " in *" $pid "*) [ "$sid" = "$own" ] || echo "$sid" ;; esac
  done)
  echo "$all" | while read -r pid ppid sid; do
    case " $(echo $found) $$ " in *" $pid "*) [ "$pid" = $$ ] || echo "$pid"; continue ;; esac
    case " $(echo $sessions) " in *" $sid "*) echo "$pid" ;; esac
  done
}

# The agent ends by itself, with its shutdown scripts, or is killed after the grace period with all that is left.
stop() {
  leader=$(cat "$pidfile" 2>/dev/null || true)
  if [ -n "$leader" ] && marked | grep -qx "$leader"; then
    # In a namespace of its own the agent is the leader's child.
    child=$(processes | while read -r pid ppid sid; do [ "$ppid" != "$leader" ] || echo "$pid"; done)
    if [ -e "$dir/.coder/namespace" ]; then kill -TERM $child 2>/dev/null || true
    else kill -TERM "$leader" 2>/dev/null || true; fi
    tries=$((grace * 20))
    while [ "$tries" -gt 0 ] && kill -0 "$leader" 2>/dev/null; do
      sleep 0.05
      tries=$((tries - 1))
    done
  fi
  tries=100
  while [ "$tries" -gt 0 ]; do
    left=$(members)
    [ -n "$left" ] || break
    kill -KILL $left 2>/dev/null || true
    sleep 0.02
    tries=$((tries - 1))
  done
  rm -f "$pidfile" "$dir/.coder/namespace"
  [ -z "$(members)" ] || { echo "processes of the workspace are still running: $(echo $(members))" >&2; exit 1; }
}

start() {
  umask 077
  mkdir -p "$dir/.coder"
  stop
  if [ -n "${CODER_LOCAL_AGENT:-}" ]; then
    run=$CODER_LOCAL_AGENT
  else
    printf '%s\n' "$LOCAL_INIT_SCRIPT" >"$dir/.coder/init.sh"
    run="sh .coder/init.sh"
  fi
  wrap=
  if [ "${LOCAL_ISOLATE:-true}" = true ] && unshare --pid --fork --mount-proc --kill-child true 2>/dev/null; then
    wrap='unshare --pid --fork --mount-proc --kill-child'
    : >"$dir/.coder/namespace"
  fi
  session=
  ! command -v setsid >/dev/null 2>&1 || session=setsid
  cd "$dir"
  # Nothing of the daemon's environment reaches the workspace but what a login would have.
  env -i PATH="$PATH" HOME="$dir" USER="${USER:-$(id -un 2>/dev/null || id -u)}" LANG="${LANG:-C.UTF-8}" \
    SHELL="${SHELL:-/bin/sh}" TZ="${TZ:-}" NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-}" \
    CODER_AGENT_TOKEN="$CODER_AGENT_TOKEN" CODER_AGENT_URL="$CODER_AGENT_URL" CODER_AGENT_AUTH=token \
    "$marker" $session $wrap sh -c "exec $run" </dev/null >"$dir/.coder/agent.log" 2>&1 &
  echo $! >"$pidfile"
}

case ${1:-} in
start) start ;;
stop) stop ;;
remove)
  stop
  rm -rf "$dir"
  ;;
*)
  echo "usage: agent.sh start | stop | remove" >&2
  exit 2
  ;;
esac
