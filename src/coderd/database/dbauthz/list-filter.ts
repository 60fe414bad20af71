/** The permission to see a list's rows, as SQL. */
import type { SqlFilter } from "../../rbac/filter.ts";
import { filterFor, type Subject } from "../../rbac/subject.ts";
import { filterColumns } from "./columns.ts";

/** `true`: all rows. `false`: none. */
export function listFilter(
  subject: Subject,
  action: string,
  type: string,
  alias: string,
): boolean | SqlFilter {
  const awake = filterFor(subject, action, type, filterColumns(type, alias));
  if (type !== "workspace") return awake;
  const dormant = filterFor(subject, action, "workspace_dormant", filterColumns("workspace_dormant", alias));
  return eitherBy(`${alias}.dormant_at IS NULL`, awake, dormant);
}

/** `yes` for rows of which the condition is true, `no` for the others. */
function eitherBy(condition: string, yes: boolean | SqlFilter, no: boolean | SqlFilter): boolean | SqlFilter {
  if (typeof yes === "boolean" && yes === no) return yes;
  const first = asSql(yes);
  const second = asSql(no);
  const moved = second.text.replace(/\$(\d+)/g, (_, n: string) => `$${Number(n) + first.values.length}`);
  return {
    text: `CASE WHEN ${condition} THEN ${first.text} ELSE ${moved} END`,
    values: [...first.values, ...second.values],
  };
}

const asSql = (filter: boolean | SqlFilter): SqlFilter =>
  typeof filter === "boolean" ? { text: String(filter), values: [] } : filter;
