/** Which of an agent's listening ports are worth a button: those that a browser might open. Pure. */
import type { WorkspaceAgentListeningPort } from "#codersdk/workspaceagents.ts";

/** Well-known services that do not speak HTTP. */
const notHttp: ReadonlySet<number> = new Set([
  0, 1, 2, 3, 4, 5, 6, 7, 8, 20, 21, 22, 23, 25, 53, 110, 143, 179, 389, 465, 587, 636, 989, 990, 993, 995,
  3306, 3389, 5432, 27017,
]);

/** Without those services, and without what the agent's apps show already. */
export function portsToShow(
  ports: readonly WorkspaceAgentListeningPort[],
  apps: readonly { readonly url?: string | undefined }[],
): WorkspaceAgentListeningPort[] {
  const shown = new Set(apps.map(({ url = "" }) => portOf(url)));
  return ports.filter(({ port }) => !notHttp.has(port) && !shown.has(port));
}

/** An explicit port or the scheme's, of an address on the agent's own machine. */
function portOf(url: string): number | undefined {
  if (!URL.canParse(url)) return undefined;
  const { hostname, port, protocol } = new URL(url);
  if (!["localhost", "127.0.0.1", "[::1]"].includes(hostname)) return undefined;
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}
