/** One agent of a workspace: is it there, how to reach it, what it says. */
import { useEffect, useState } from "react";
import type { Client } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import { decode } from "#codersdk/wire-decode.ts";
import * as w from "#codersdk/wire.ts";
import {
  type WorkspaceAgent,
  WorkspaceAgentLog,
  type WorkspaceAgentLifecycle,
  WorkspaceAgentMetadata,
} from "#codersdk/workspaceagents.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import { useApp } from "../api/app-context.ts";
import { keepTrying, StreamEvent, useFollow } from "../api/streams.ts";
import { plural } from "../lib/format.ts";
import { AgentApps } from "./agent-apps.tsx";
import { Copy } from "./copy.tsx";
import { LogBox, LogLine } from "./log.tsx";
import { Badge, type Tone } from "./status.tsx";
import { Elapsed } from "./time.tsx";

interface Look {
  readonly label: string;
  readonly tone: Tone;
}

const lifecycles: Readonly<Record<WorkspaceAgentLifecycle, Look>> = {
  created: { label: "Connected", tone: "good" },
  starting: { label: "Running startup scripts", tone: "busy" },
  start_timeout: { label: "Startup scripts take long", tone: "warn" },
  start_error: { label: "A startup script failed", tone: "warn" },
  ready: { label: "Ready", tone: "good" },
  shutting_down: { label: "Shutting down", tone: "busy" },
  shutdown_timeout: { label: "Shutdown takes long", tone: "warn" },
  shutdown_error: { label: "A shutdown script failed", tone: "warn" },
  off: { label: "Off", tone: "idle" },
};

/** Pure. */
export function agentLook({ status, lifecycle_state: lifecycle }: WorkspaceAgent): Look {
  switch (status) {
    case "connecting":
      return { label: "Waiting for it to connect", tone: "busy" };
    case "timeout":
      return { label: "Did not connect in time", tone: "bad" };
    case "disconnected":
      return { label: "Disconnected", tone: "bad" };
    case "connected":
      return lifecycles[lifecycle];
  }
}

interface AgentProps {
  readonly workspace: Workspace;
  readonly agent: WorkspaceAgent;
  /** Whether the command line must be told which. */
  readonly several: boolean;
}

export function Agent({ workspace, agent, several }: AgentProps) {
  const connected = agent.status === "connected";
  return (
    <section className="panel" aria-label={`Agent ${agent.name}`}>
      <div className="panel-head">
        <h2>{agent.name}</h2>
        <Badge {...agentLook(agent)} />
        <span className="muted small">
          {agent.operating_system}/{agent.architecture}
          {connected && agent.version !== "" && ` · ${agent.version}`}
          {agent.first_connected_at !== undefined && (
            <>
              {" · connected after "}
              <Elapsed from={agent.created_at} until={agent.first_connected_at} />
            </>
          )}
        </span>
      </div>
      <div className="panel-body agent">
        <AgentTrouble agent={agent} />
        <AgentApps workspace={workspace} agent={agent} />
        {connected && (
          <dl className="facts">
            <div>
              <dt>From your terminal</dt>
              <dd>
                <Copy
                  label="the ssh command"
                  text={`coder ssh ${workspace.name}${several ? `.${agent.name}` : ""}`}
                />
              </dd>
            </div>
            {agent.expanded_directory !== undefined && (
              <div>
                <dt>Directory</dt>
                <dd>
                  <code>{agent.expanded_directory}</code>
                </dd>
              </div>
            )}
          </dl>
        )}
        {connected && <Metadata agentId={agent.id} />}
      </div>
      <AgentLogs agent={agent} />
    </section>
  );
}

function AgentTrouble({ agent }: { readonly agent: WorkspaceAgent }) {
  const { status, health, troubleshooting_url: help } = agent;
  if (status !== "timeout" && status !== "disconnected" && (health.healthy || status === "connecting")) {
    return null;
  }
  return (
    <div className="notice notice-warn" role="status">
      <p>
        {health.reason === undefined || health.reason === ""
          ? agentLook(agent).label
          : sentence(health.reason)}
      </p>
      {/^https?:/.test(help) && (
        <p>
          <a href={help} target="_blank" rel="noreferrer">
            What to do about it
          </a>
        </p>
      )}
    </div>
  );
}

const sentence = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1) + ".";

function Metadata({ agentId }: { readonly agentId: string }) {
  const { client, clock } = useApp();
  const [items, setItems] = useState<readonly WorkspaceAgentMetadata[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    void keepTrying(clock, signal, async (worked) => {
      const input = { params: { workspaceagent: agentId }, signal };
      for await (const event of client.stream(contract.workspaceagents.watchMetadataWs, StreamEvent, input)) {
        worked();
        if (event.type === "data") {
          setItems(decode(w.list(WorkspaceAgentMetadata), event.data, { lenient: true }));
        }
      }
      if (!signal.aborted) throw new Error("the server went away");
    });
    return () => stop.abort();
  }, [client, clock, agentId]);
  if (items.length === 0) return null;
  return (
    <dl className="facts metadata" aria-label="Metadata">
      {items.map(({ description, result }) => (
        <div key={description.key}>
          <dt>{description.display_name}</dt>
          <dd>
            {result.error !== "" ? (
              <span className="bad">{result.error}</span>
            ) : result.value === "" ? (
              <span className="muted">…</span>
            ) : (
              result.value.trim()
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

const followAgent =
  (agentId: string) =>
  (client: Client, after: number, signal: AbortSignal): AsyncIterable<readonly WorkspaceAgentLog[]> =>
    client.stream(contract.workspaceagents.logs, w.list(WorkspaceAgentLog), {
      params: { workspaceagent: agentId },
      query: { follow: true, after },
      signal,
    });

const interesting: ReadonlySet<WorkspaceAgentLifecycle> = new Set([
  "starting",
  "start_timeout",
  "start_error",
  "shutdown_error",
]);

function AgentLogs({ agent }: { readonly agent: WorkspaceAgent }) {
  const [open, setOpen] = useState(interesting.has(agent.lifecycle_state));
  const { lines, dropped } = useFollow(open ? `agent-log/${agent.id}` : undefined, followAgent(agent.id));
  if (agent.logs_length === 0 && lines.length === 0) return null;
  return (
    <details className="fold" open={open} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Log of the agent</summary>
      {agent.logs_overflowed && (
        <p className="notice notice-warn">The log grew too long; its end is missing.</p>
      )}
      <LogBox label={`Log of the agent ${agent.name}`} length={lines.length}>
        {dropped > 0 && <p className="muted">{plural(dropped, "earlier line")} not shown</p>}
        {lines.map(({ id, level, output }) => (
          <LogLine key={id} level={level} output={output} />
        ))}
      </LogBox>
    </details>
  );
}
