/**
 * The text of `terraform graph -type=plan`: statements one a line,
 *
 *     "[root] coder_agent.main (expand)" [label = "coder_agent.main", shape = "box"]
 *     "[root] docker_container.dev (expand)" -> "[root] coder_agent.main (expand)"
 *
 * An edge points from what depends to what it depends on. Nodes that only occur in edges have no label.
 */

export interface Graph {
  readonly labels: ReadonlyMap<string, string>;
  readonly nodesByLabel: ReadonlyMap<string, readonly string[]>;
  readonly dependencies: ReadonlyMap<string, ReadonlySet<string>>;
  readonly dependents: ReadonlyMap<string, ReadonlySet<string>>;
}

const quoted = String.raw`"((?:[^"\\]|\\.)*)"`;
const edgePattern = new RegExp(`^\\s*${quoted}\\s*->\\s*${quoted}`);
const nodePattern = new RegExp(`^\\s*${quoted}\\s*\\[(.*)\\]\\s*;?\\s*$`);
const labelPattern = new RegExp(`(?:^|[,\\s])label\\s*=\\s*${quoted}`);

function unquote(text: string): string {
  return text.replaceAll(/\\(.)/gs, "$1");
}

function add<V>(map: Map<string, Set<V>>, key: string, value: V): void {
  const found = map.get(key);
  if (found) found.add(value);
  else map.set(key, new Set([value]));
}

/** Lines that are neither node nor edge are skipped. */
export function parseGraph(dot: string): Graph {
  const labels = new Map<string, string>();
  const byLabel = new Map<string, Set<string>>();
  const dependencies = new Map<string, Set<string>>();
  const dependents = new Map<string, Set<string>>();
  for (const line of dot.split("\n")) {
    const edge = edgePattern.exec(line);
    if (edge) {
      const from = unquote(edge[1] ?? "");
      const to = unquote(edge[2] ?? "");
      add(dependencies, from, to);
      add(dependents, to, from);
      continue;
    }
    const node = nodePattern.exec(line);
    const label = node && labelPattern.exec(node[2] ?? "");
    if (!node || !label) continue;
    const name = unquote(node[1] ?? "");
    labels.set(name, unquote(label[1] ?? ""));
    add(byLabel, unquote(label[1] ?? ""), name);
  }
  const nodesByLabel = new Map([...byLabel].map(([label, nodes]) => [label, [...nodes]]));
  return { labels, nodesByLabel, dependencies, dependents };
}

/**
 * Walks from the nodes of a label along the edges, nearest first, and gives the best label: smallest distance, then
 * smallest label. Undefined where no label is accepted.
 */
export function nearest(
  graph: Graph,
  label: string,
  edges: ReadonlyMap<string, ReadonlySet<string>>,
  accepts: (label: string) => boolean,
): string | undefined {
  const seen = new Set<string>();
  let level: readonly string[] = graph.nodesByLabel.get(label) ?? [];
  while (level.length > 0) {
    const next: string[] = [];
    let best: string | undefined;
    for (const node of level) {
      if (seen.has(node)) continue;
      seen.add(node);
      const found = graph.labels.get(node);
      if (found !== undefined && accepts(found) && (best === undefined || found < best)) best = found;
      next.push(...(edges.get(node) ?? []));
    }
    if (best !== undefined) return best;
    level = next;
  }
  return undefined;
}

/** Whether an edge leads from a root-module block to another: `coder_app.web` → `coder_agent.main`. */
export function hasRootEdge(graph: Graph, from: string, to: string): boolean {
  const target = `] ${to} (expand)`;
  for (const [node, targets] of graph.dependencies) {
    if (!node.endsWith(`] ${from} (expand)`)) continue;
    for (const name of targets) if (name.endsWith(target)) return true;
  }
  return false;
}
