/**
 * As the first process of a container an agent would have to wait for every orphan, which Node cannot. A shell can: this
 * process becomes one, which runs the agent, passes stop signals on, waits for whatever else ends, and ends as the agent.
 */

const script = `
trap 'kill -TERM "$agent" 2>/dev/null' TERM INT
trap 'kill -HUP "$agent" 2>/dev/null' HUP
"$@" &
agent=$!
while :; do
  wait "$agent"
  code=$?
  kill -0 "$agent" 2>/dev/null || exit "$code"
done
`;

/** What to run instead of `argv`: a shell that runs it and reaps. */
export function reaperCommand(argv: readonly string[]): { readonly file: string; readonly args: string[] } {
  return { file: "/bin/sh", args: ["sh", "-c", script, "sh", ...argv] };
}
