/**
 * Which result columns can be NULL. PostgreSQL keeps the analysed query of a SQL function; each `Var` in it carries
 * `varnullingrels`, the outer joins that may null it. From there: a column is not null if its table says so and no join
 * nulls it; an expression if its parts cannot be NULL. Whatever is not understood counts as nullable.
 */
import type { Catalog } from "./catalog.ts";
import { isNode, list, type Node, nodes, readTree, text, type Tree } from "./tree.ts";

interface Scope {
  readonly query: Node;
  readonly outer: Scope | undefined;
}

export interface Output {
  readonly name: string;
  readonly notNull: boolean;
  /** Where the column comes from, if it is one of a table or view. */
  readonly table: number | undefined;
  readonly column: number | undefined;
}

/** RTEKind of PostgreSQL 18's parsenodes.h. */
const rte = { relation: "0", subquery: "1", join: "2", values: "5", cte: "6", group: "9" } as const;
/** SubLinkType. */
const sublink = { exists: "0", expr: "4", array: "6" } as const;

export class Nullability {
  readonly #catalog: Catalog;
  readonly #nullableParams: ReadonlySet<number>;
  readonly #views = new Map<number, readonly boolean[]>();

  constructor(catalog: Catalog, nullableParams: ReadonlySet<number> = new Set()) {
    this.#catalog = catalog;
    this.#nullableParams = nullableParams;
  }

  /** `source`: prosqlbody or a rule's action, which wrap the query into lists. */
  outputs(source: string): Output[] {
    const query = unwrap(readTree(source));
    if (!query) return [];
    const notNull = this.#outputs({ query, outer: undefined });
    return targets(query).map((target, index) => {
      const table = Number(text(target.fields.get("resorigtbl")));
      return {
        name: text(target.fields.get("resname")),
        notNull: notNull[index] ?? false,
        table: table || undefined,
        column: Number(text(target.fields.get("resorigcol"))) || undefined,
      };
    });
  }

  #outputs(scope: Scope): boolean[] {
    const set = scope.query.fields.get("setOperations");
    if (isNode(set, "SETOPERATIONSTMT")) return this.#setOutputs(set, scope);
    return targets(scope.query).map((target) => this.#never(target.fields.get("expr"), scope));
  }

  /** UNION and its kin: both sides must be not null. */
  #setOutputs(node: Tree | undefined, scope: Scope): boolean[] {
    if (isNode(node, "RANGETBLREF")) {
      const entry = nodes(scope.query.fields.get("rtable"))[Number(text(node.fields.get("rtindex"))) - 1];
      const sub = entry?.fields.get("subquery");
      return isNode(sub) ? this.#outputs({ query: sub, outer: scope }) : [];
    }
    if (!isNode(node)) return [];
    const right = this.#setOutputs(node.fields.get("rarg"), scope);
    return this.#setOutputs(node.fields.get("larg"), scope).map(
      (left, index) => left && (right[index] ?? false),
    );
  }

  /** True if the expression is never NULL. */
  #never(node: Tree | undefined, scope: Scope): boolean {
    if (!isNode(node)) return false;
    const field = (name: string): Tree | undefined => node.fields.get(name);
    const args = nodes(field("args"));
    const all = (): boolean => args.every((arg) => this.#never(arg, scope));
    switch (node.tag) {
      case "VAR":
        return this.#column(node, scope);
      case "CONST":
        return text(field("constisnull")) !== "true";
      case "PARAM":
        return !this.#nullableParams.has(Number(text(field("paramid"))));
      case "COALESCEEXPR":
      case "COALESCE":
      case "MINMAXEXPR":
      case "MINMAX":
        return args.some((arg) => this.#never(arg, scope));
      case "AGGREF":
        return this.#catalog.neverNull.has(Number(text(field("aggfnoid"))));
      case "WINDOWFUNC":
        return this.#catalog.neverNull.has(Number(text(field("winfnoid"))));
      case "FUNCEXPR": {
        const id = Number(text(field("funcid")));
        return this.#catalog.neverNull.has(id) || (this.#catalog.nullOnlyFromNull.has(id) && all());
      }
      case "OPEXPR":
        return this.#catalog.nullOnlyFromNull.has(Number(text(field("opfuncid")))) && all();
      case "DISTINCTEXPR":
      case "NULLTEST":
      case "BOOLEANTEST":
      case "ARRAYEXPR":
      case "ARRAY":
      case "ROWEXPR":
      case "ROW":
        return true;
      case "BOOLEXPR":
      case "SCALARARRAYOPEXPR":
        return all();
      case "RELABELTYPE":
      case "COERCEVIAIO":
      case "ARRAYCOERCEEXPR":
      case "COLLATEEXPR":
        return this.#never(field("arg"), scope);
      case "CASEEXPR":
      case "CASE":
        return (
          this.#never(field("defresult"), scope) &&
          args.every((when) => this.#never(when.fields.get("result"), scope))
        );
      case "SUBLINK":
        return this.#sublink(node, scope);
      default:
        return false;
    }
  }

  /** EXISTS and ARRAY(…) always; a scalar subquery only if it is one ungrouped aggregate, which always has a row. */
  #sublink(node: Node, scope: Scope): boolean {
    const type = text(node.fields.get("subLinkType"));
    if (type === sublink.exists || type === sublink.array) return true;
    const query = node.fields.get("subselect");
    if (type !== sublink.expr || !isNode(query)) return false;
    const oneRow =
      text(query.fields.get("hasAggs")) === "true" &&
      list(query.fields.get("groupClause")).length === 0 &&
      !isNode(query.fields.get("havingQual")) &&
      !isNode(query.fields.get("limitCount")) &&
      !isNode(query.fields.get("limitOffset"));
    return oneRow && (this.#outputs({ query, outer: scope })[0] ?? false);
  }

  #column(node: Node, scope: Scope): boolean {
    let at: Scope | undefined = scope;
    for (let level = Number(text(node.fields.get("varlevelsup"))); level > 0; level--) at = at?.outer;
    const nulling = list(node.fields.get("varnullingrels")).filter((item) => item !== "b");
    const attribute = Number(text(node.fields.get("varattno")));
    // RETURNING old.x or new.x: the row may not exist.
    if (!at || nulling.length > 0 || !["", "0"].includes(text(node.fields.get("varreturningtype")))) {
      return false;
    }
    const entry = nodes(at.query.fields.get("rtable"))[Number(text(node.fields.get("varno"))) - 1];
    if (!entry) return false;
    if (attribute <= 0) return true;
    return this.#entryColumn(entry, attribute, at);
  }

  #entryColumn(entry: Node, attribute: number, scope: Scope): boolean {
    const field = (name: string): Tree | undefined => entry.fields.get(name);
    switch (text(field("rtekind"))) {
      case rte.relation:
        return this.#tableColumn(Number(text(field("relid"))), attribute);
      case rte.subquery: {
        const query = field("subquery");
        return isNode(query) && (this.#outputs({ query, outer: scope })[attribute - 1] ?? false);
      }
      case rte.join:
        return this.#never(list(field("joinaliasvars"))[attribute - 1], scope);
      case rte.values:
        return list(field("values_lists")).every((row) => this.#never(list(row)[attribute - 1], scope));
      case rte.cte:
        return this.#cteColumn(entry, attribute, scope);
      case rte.group:
        return this.#never(list(field("groupexprs"))[attribute - 1], scope);
      default:
        return false;
    }
  }

  #cteColumn(entry: Node, attribute: number, scope: Scope): boolean {
    let at: Scope | undefined = scope;
    for (let level = Number(text(entry.fields.get("ctelevelsup"))); level > 0; level--) at = at?.outer;
    // The recursive term's own columns: decided by the other term of the UNION.
    if (!at || text(entry.fields.get("self_reference")) === "true") return true;
    const name = text(entry.fields.get("ctename"));
    const cte = nodes(at.query.fields.get("cteList")).find(
      (item) => text(item.fields.get("ctename")) === name,
    );
    const query = cte?.fields.get("ctequery");
    return isNode(query) && (this.#outputs({ query, outer: at })[attribute - 1] ?? false);
  }

  #tableColumn(oid: number, attribute: number): boolean {
    const table = this.#catalog.tables.get(oid);
    if (!table) return false;
    if (table.viewTree !== null) return this.viewColumns(oid)[attribute - 1] ?? false;
    return table.columns.find((column) => column.number === attribute)?.notNull ?? false;
  }

  /** Not-null flags of a view's columns, in their order. */
  viewColumns(oid: number): readonly boolean[] {
    const known = this.#views.get(oid);
    if (known) return known;
    const tree = this.#catalog.tables.get(oid)?.viewTree;
    const query = tree == null ? undefined : unwrap(readTree(tree));
    const flags = query ? this.#outputs({ query, outer: undefined }) : [];
    this.#views.set(oid, flags);
    return flags;
  }
}

function unwrap(tree: Tree): Node | undefined {
  let at: Tree | undefined = tree;
  while (Array.isArray(at)) at = at.at(-1);
  return isNode(at) ? at : undefined;
}

function targets(query: Node): readonly Node[] {
  const from = text(query.fields.get("commandType")) === "1" ? "targetList" : "returningList";
  return nodes(query.fields.get(from)).filter((target) => text(target.fields.get("resjunk")) !== "true");
}
