/** What `terraform graph -type=plan` prints: the configuration's graph without edges that others imply. */
import { ancestors, type ConfigGraph, type GraphNode } from "#preview/module/graph.ts";

const quote = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

function dotName(node: GraphNode): string {
  const plain =
    node.kind === "expand" ||
    node.kind === "close" ||
    (node.kind === "variable" && node.module.path.length === 0);
  return plain ? `[root] ${node.name}` : `[root] ${node.name} (expand)`;
}

export function graphDot(graph: ConfigGraph): string {
  const lines = ["digraph {", '\tcompound = "true"', '\tnewrank = "true"', '\tsubgraph "root" {'];
  const nodes = [...graph.nodes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const node of nodes) {
    if (node.kind === "resource") {
      lines.push(`\t\t${quote(dotName(node))} [label = ${quote(node.name)}, shape = "box"]`);
    }
  }
  const below = new Map(nodes.map((node) => [node.name, ancestors(graph, node.name)] as const));
  for (const node of nodes) {
    for (const to of reduced(graph, node.name, below)) {
      const target = graph.nodes.get(to);
      if (target) lines.push(`\t\t${quote(dotName(node))} -> ${quote(dotName(target))}`);
    }
  }
  lines.push("\t}", "}", "");
  return lines.join("\n");
}

/** Direct needs that no other direct need has among its own. */
function reduced(
  graph: ConfigGraph,
  name: string,
  below: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  const direct = [...(graph.edges.get(name) ?? [])].sort();
  return direct.filter((to) => !direct.some((other) => other !== to && below.get(other)?.has(to) === true));
}
