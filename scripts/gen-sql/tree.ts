/** Reads PostgreSQL's `pg_node_tree` text: `{NODE :field value …}`, `(list …)`, `[datum]`, tokens. */

export type Tree = string | readonly Tree[] | Node;
export interface Node {
  readonly tag: string;
  readonly fields: ReadonlyMap<string, Tree>;
}

export function isNode(tree: Tree | undefined, ...tags: readonly string[]): tree is Node {
  return typeof tree === "object" && "tag" in tree && (tags.length === 0 || tags.includes(tree.tag));
}

export function list(tree: Tree | undefined): readonly Tree[] {
  return Array.isArray(tree) ? tree : [];
}

export function nodes(tree: Tree | undefined): readonly Node[] {
  return list(tree).filter((item): item is Node => isNode(item));
}

export function text(tree: Tree | undefined): string {
  return typeof tree === "string" ? tree : "";
}

export function readTree(source: string): Tree {
  let at = 0;
  const space = (): void => {
    while (/\s/.test(source[at] ?? "")) at++;
  };
  const token = (): string => {
    let out = "";
    while (at < source.length && !/[\s(){}]/.test(source[at] ?? "")) {
      if (source[at] === "\\") at++;
      out += source[at++];
    }
    return out;
  };
  const bracketed = (): string => {
    const start = at;
    do at++;
    while (source[at - 1] !== "]" && at < source.length);
    return source.slice(start, at);
  };
  const value = (): Tree => {
    space();
    if (source[at] === "{") return node();
    if (source[at] === "(") {
      at++;
      const items: Tree[] = [];
      for (space(); source[at] !== ")" && at < source.length; space()) items.push(value());
      at++;
      return items;
    }
    if (source[at] === "[") return bracketed();
    return token();
  };
  const node = (): Node => {
    at++;
    const tag = token();
    const fields = new Map<string, Tree>();
    for (space(); source[at] !== "}" && at < source.length; space()) {
      at++; // the colon
      const key = token();
      const values: Tree[] = [];
      for (space(); source[at] !== ":" && source[at] !== "}" && at < source.length; space()) {
        values.push(value());
      }
      fields.set(key, values.length === 1 ? (values[0] ?? "") : values);
    }
    at++;
    return { tag, fields };
  };
  return value();
}
