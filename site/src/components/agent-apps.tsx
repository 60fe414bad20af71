/** Ways into a workspace: terminal, desktop editors, and the apps of its template. */
import type { ReactNode } from "react";
import { contract } from "#codersdk/contract.ts";
import type { WorkspaceAgent, WorkspaceApp } from "#codersdk/workspaceagents.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import { useApp } from "../api/app-context.ts";
import { Icon } from "./icon.tsx";

interface AgentAppsProps {
  readonly workspace: Workspace;
  readonly agent: WorkspaceAgent;
}

export const terminalPath = (workspace: Workspace, agent: WorkspaceAgent): string =>
  `/@${encodeURIComponent(workspace.owner_name)}/${encodeURIComponent(`${workspace.name}.${agent.name}`)}/terminal`;

export function AgentApps({ workspace, agent }: AgentAppsProps) {
  const connected = agent.status === "connected";
  const terminal = agent.display_apps?.includes("web_terminal") ?? false;
  const shown = agent.apps.filter(({ hidden }) => !hidden);
  const editors = editorsOf(agent);
  if (shown.length === 0 && (!connected || (!terminal && editors.length === 0))) return null;
  return (
    <ul className="apps" aria-label="Ways to open">
      {connected && terminal && (
        <AppLink href={terminalPath(workspace, agent)}>
          <Icon name="terminal" /> Terminal
        </AppLink>
      )}
      {connected &&
        editors.map((editor) => (
          <li key={editor.scheme}>
            <EditorButton editor={editor} workspace={workspace} agent={agent} />
          </li>
        ))}
      {shown.map((app) => (
        <App key={app.id} app={app} workspace={workspace} agent={agent} />
      ))}
    </ul>
  );
}

function AppLink({ href, children }: { readonly href: string; readonly children: ReactNode }) {
  return (
    <li>
      <a className="button" href={href} target="_blank" rel="noreferrer">
        {children}
      </a>
    </li>
  );
}

interface Editor {
  readonly label: string;
  readonly scheme: string;
}

function editorsOf({ display_apps: apps }: WorkspaceAgent): readonly Editor[] {
  return [
    ...(apps.includes("vscode") ? [{ label: "VS Code", scheme: "vscode" }] : []),
    ...(apps.includes("vscode_insiders") ? [{ label: "VS Code Insiders", scheme: "vscode-insiders" }] : []),
  ];
}

function EditorButton({ editor, workspace, agent }: AgentAppsProps & { readonly editor: Editor }) {
  const { client, toasts } = useApp();
  const open = async (): Promise<void> => {
    try {
      const { key } = await client.call(contract.apikeys.createKey, { params: { user: "me" } });
      const query = new URLSearchParams({
        owner: workspace.owner_name,
        workspace: workspace.name,
        agent: agent.name,
        url: location.origin,
        token: key,
      });
      location.href = `${editor.scheme}://coder.coder-remote/open?${query.toString()}`;
    } catch (error) {
      toasts.fail(error);
    }
  };
  return (
    <button type="button" className="button" onClick={() => void open()}>
      {editor.label}
    </button>
  );
}

function App({ app, workspace, agent }: AgentAppsProps & { readonly app: WorkspaceApp }) {
  const name = app.display_name === undefined || app.display_name === "" ? app.slug : app.display_name;
  if (app.external) {
    const url = safeAppUrl(app.url ?? "");
    return url === undefined ? null : (
      <AppLink href={url}>
        {name} <Icon name="external" />
      </AppLink>
    );
  }
  if (app.command !== undefined && app.command !== "") {
    return agent.status === "connected" ? (
      <AppLink href={`${terminalPath(workspace, agent)}?app=${encodeURIComponent(app.slug)}`}>
        <Icon name="terminal" /> {name}
      </AppLink>
    ) : null;
  }
  const port = portOf(app.url ?? "");
  return (
    <li className="app-port">
      <span>{name}</span>
      {port !== undefined && (
        <span className="muted small">
          port {port}:{" "}
          <code>
            coder port-forward {workspace.name} --tcp {port}
          </code>
        </span>
      )}
    </li>
  );
}

/** Templates name these addresses, so they are not trusted to be links. Pure. */
export function safeAppUrl(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol } = new URL(url);
  return /^(?:javascript|data|vbscript|blob|file|about):$/i.test(protocol) ? undefined : url;
}

function portOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { port, protocol } = new URL(url);
  return port !== "" ? port : protocol === "https:" ? "443" : "80";
}
