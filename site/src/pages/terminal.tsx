/**
 * A terminal in a workspace, in a page of its own: `/@user/workspace.agent/terminal?command=…|app=<slug>&reconnect=<uuid>`.
 * The id stands in the address, so that a reload finds the same shell. A command that stands in the address is shown and
 * asked for first, because anybody can write a link; commands of the template's apps run at once.
 */
import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import type { WorkspaceAgent } from "#codersdk/workspaceagents.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import type { TerminalState } from "../api/terminal-socket.ts";
import { useWorkspace } from "../api/streams.ts";
import { agentLook } from "../components/agent.tsx";
import { Empty, ErrorState, Loading } from "../components/states.tsx";
import { Badge } from "../components/status.tsx";
import { WorkspaceActions } from "../components/workspace-actions.tsx";
import { Link, type RouteProps, useLocation, useRouter } from "../lib/router.tsx";

const Terminal = lazy(async () => ({ default: (await import("../components/terminal.tsx")).Terminal }));

export function TerminalPage({ params }: RouteProps) {
  const { user = "", workspace: target = "" } = params;
  const [name = "", agentName = ""] = target.split(".");
  const { data, error, refresh } = useWorkspace(user, name);
  useEffect(() => {
    document.title = `${target} – Terminal`;
  }, [target]);
  return (
    <div className="terminal-page">
      <header className="terminal-bar">
        <h1>
          <Link to={`/@${user}/${name}`}>{target}</Link>
        </h1>
      </header>
      <main>
        {data !== undefined ? (
          <Ready workspace={data} agentName={agentName} />
        ) : error === undefined ? (
          <Loading rows={0} />
        ) : (
          <ErrorState error={error} onRetry={refresh} />
        )}
      </main>
    </div>
  );
}

/** The named agent, or the only one. Pure. */
export function findAgent(workspace: Workspace, name: string): WorkspaceAgent | undefined {
  const agents = workspace.latest_build.resources.flatMap(({ agents: some }) => some ?? []);
  return name === "" ? agents[0] : agents.find((agent) => agent.name === name);
}

function Ready({ workspace, agentName }: { readonly workspace: Workspace; readonly agentName: string }) {
  const agent = findAgent(workspace, agentName);
  const started = workspace.latest_build.transition === "start";
  // Once open, the terminal itself tells when the connection is lost, and comes back.
  const [opened, setOpened] = useState(false);
  const connected = started && agent?.status === "connected";
  if (connected && !opened) setOpened(true);
  if (!started || agent === undefined) {
    return (
      <Empty title={started ? "There is no such agent" : "The workspace does not run"}>
        {!started && <WorkspaceActions workspace={workspace} />}
      </Empty>
    );
  }
  if (!opened) {
    return (
      <Empty title="The workspace is not ready yet">
        <Badge {...agentLook(agent)} />
      </Empty>
    );
  }
  return <Session key={agent.id} agent={agent} />;
}

function Session({ agent }: { readonly agent: WorkspaceAgent }) {
  const router = useRouter();
  const { search } = useLocation();
  const query = new URLSearchParams(search);
  const app = query.get("app");
  const asked = query.get("command") ?? "";
  const fromApp = app === null ? undefined : agent.apps.find(({ slug }) => slug === app)?.command;
  const [allowed, setAllowed] = useState(fromApp !== undefined || asked === "");
  const [state, setState] = useState<TerminalState>({ kind: "connecting" });
  const [round, setRound] = useState(0);
  const [reconnectId, setReconnectId] = useState(() => query.get("reconnect") ?? newId());
  useEffect(() => {
    const next = new URLSearchParams(router.location.get().search);
    next.set("reconnect", reconnectId);
    router.setSearch(next);
  }, [router, reconnectId]);
  const onTitle = useCallback((title: string) => {
    if (title !== "") document.title = title;
  }, []);
  if (!allowed) {
    return (
      <div className="notice notice-warn" role="alert">
        <p className="notice-title">This link wants to run a command</p>
        <pre className="detail">{asked}</pre>
        <p>Run it only if you trust whoever gave you the link.</p>
        <button type="button" className="button button-danger" onClick={() => setAllowed(true)}>
          Run it
        </button>
      </div>
    );
  }
  return (
    <>
      <Suspense fallback={<Loading rows={0} />}>
        <Terminal
          key={round}
          agentId={agent.id}
          reconnectId={reconnectId}
          command={fromApp ?? asked}
          onState={setState}
          onTitle={onTitle}
        />
      </Suspense>
      <div className="terminal-state" role="status">
        {state.kind === "waiting" && <span>{state.reason} Connecting again…</span>}
        {state.kind === "connecting" && <span className="visually-hidden">Connecting…</span>}
        {state.kind === "connected" && <span className="visually-hidden">Connected</span>}
        {state.kind === "ended" && (
          <>
            <span>The shell has ended.</span>
            <button
              type="button"
              className="button"
              onClick={() => {
                setReconnectId(newId());
                setRound((now) => now + 1);
              }}
            >
              Start a new one
            </button>
          </>
        )}
      </div>
    </>
  );
}

/** A random UUID (RFC 9562, version 4); `crypto.randomUUID` is for secure origins only. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (byte, at) =>
    (at === 6 ? (byte & 0x0f) | 0x40 : at === 8 ? (byte & 0x3f) | 0x80 : byte).toString(16).padStart(2, "0"),
  ).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
