/** Which methods a path knows, for 405 answers; asked only when the router found nothing. */
import type { Endpoint } from "#codersdk/endpoint.ts";

export function routeTable(endpoints: readonly Endpoint[]): (path: string) => string[] {
  const rows = endpoints.map(({ method, path }) => ({ method, form: pathForm(path) }));
  return (path) => {
    const methods = rows.filter(({ form }) => form.test(path)).map(({ method }) => method);
    return Array.from(new Set(methods)).toSorted();
  };
}

function pathForm(path: string): RegExp {
  const source = path
    .split(/(\{[^}]+\})/)
    .map((part) =>
      part.endsWith("...}")
        ? ".*"
        : part.startsWith("{")
          ? "[^/]+"
          : part.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&"),
    );
  return new RegExp(`^${source.join("")}/?$`);
}
