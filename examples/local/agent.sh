#!/bin/sh
# agent.sh start | stop | remove: one workspace's agent as a process of this machine.
#
#   LOCAL_ID                the workspace's id
#   CODER_LOCAL_AGENT       shell-quoted command line of an agent, from the built-in daemon; else LOCAL_INIT_SCRIPT runs
#   CODER_LOCAL_WORKSPACES  parent of the workspaces' folders
#   CODER_LOCAL_GRACE       seconds that an agent has to end by itself, 10
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
grace=${CODER_LOCAL_GRACE:-10}

# Sessions that belong to the workspace, found so far.
sessions=' '

# Sets `table`: "pid ppid session" of every process, a line each. Only numbers pass: names may hold anything.
scan() {
  table=
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    set -- ${line%% *} ${line##*) }
    case "$1$3$5" in *[!0-9]*) continue ;; esac
    [ "$2" = Z ] || table="$table$1 $3 $5
"
  done
}

marked() {
  grep -lzxF -e "$marker" /proc/[0-9]*/environ 2>/dev/null | cut -d / -f 3
}

# Sets `members`: marked processes, and all in sessions whose leader is marked or gone. This script is none of them.
find_members() {
  found=" $(marked | tr '\n' ' ')"
  members=
  [ "$found" != ' ' ] || [ "$sessions" != ' ' ] || return 0
  scan
  alive=' '
  while read -r pid ppid sid; do
    alive="$alive$pid "
  done <<TABLE
$table
TABLE
  while read -r pid ppid sid; do
    case "$found" in *" $pid "*) ;; *) continue ;; esac
    case "$found" in *" $sid "*) sessions="$sessions$sid " ;; esac
    case "$alive" in *" $sid "*) ;; *) sessions="$sessions$sid " ;; esac
  done <<TABLE
$table
TABLE
  while read -r pid ppid sid; do
    [ -n "$pid" ] && [ "$pid" != $$ ] || continue
    case "$found" in *" $pid "*) members="$members $pid"; continue ;; esac
    case "$sessions" in *" $sid "*) members="$members $pid" ;; esac
  done <<TABLE
$table
TABLE
}

# The agent ends by itself, with its shutdown scripts, or is killed after the grace period with all that is left.
stop() {
  find_members
  leader=$(cat "$pidfile" 2>/dev/null || true)
  case " $members " in *" ${leader:-none} "*) end_agent ;; esac
  tries=100
  while :; do
    find_members
    [ -n "$members" ] || break
    [ "$tries" -gt 0 ] || { echo "processes of the workspace are still running:$members" >&2; exit 1; }
    kill -KILL $members 2>/dev/null || true
    sleep 0.02
    tries=$((tries - 1))
  done
  rm -f "$pidfile" "$dir/.coder/namespace"
}

# Whether a process is alive; a dead one that nobody has collected is not.
runs() {
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  case ${line##*) } in Z* | X*) return 1 ;; esac
}

end_agent() {
  target=$leader
  # In a namespace of its own the agent is the leader's child.
  if [ -e "$dir/.coder/namespace" ]; then
    while read -r pid ppid sid; do
      [ "$ppid" != "$leader" ] || target=$pid
    done <<TABLE
$table
TABLE
  fi
  kill -TERM "$target" 2>/dev/null || true
  tries=$((grace * 20))
  while [ "$tries" -gt 0 ] && runs "$leader"; do
    sleep 0.05
    tries=$((tries - 1))
  done
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
  main="exec $run"
  # The first process of a namespace waits for orphans. A shell can; told not to do it itself, the agent starts sooner.
  if [ -n "$wrap" ] && [ -n "${CODER_LOCAL_AGENT:-}" ]; then
    main="$run --no-reap & agent=\$!"'
      trap "kill -TERM $agent 2>/dev/null" TERM INT
      trap "kill -HUP $agent 2>/dev/null" HUP
      while :; do
        wait "$agent"
        code=$?
        kill -0 "$agent" 2>/dev/null || exit "$code"
      done'
  fi
  session=
  ! command -v setsid >/dev/null 2>&1 || session=setsid
  cd "$dir"
  # Nothing of the daemon's environment reaches the workspace but what a login would have.
  env -i PATH="$PATH" HOME="$dir" USER="${USER:-$(id -un 2>/dev/null || id -u)}" LANG="${LANG:-C.UTF-8}" \
    SHELL="${SHELL:-/bin/sh}" TZ="${TZ:-}" NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-}" \
    CODER_AGENT_TOKEN="$CODER_AGENT_TOKEN" CODER_AGENT_URL="$CODER_AGENT_URL" CODER_AGENT_AUTH=token \
    "$marker" $session $wrap sh -c "$main" </dev/null >"$dir/.coder/agent.log" 2>&1 &
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
