/** `$NAME` and `${NAME}` in texts of the template, and paths relative to the home. */
import { isAbsolute, join } from "node:path";

type Env = Readonly<Record<string, string | undefined>>;

/** An unset variable is empty; a `$` that begins no name stays. */
export function expandVariables(text: string, env: Env): string {
  return text.replaceAll(
    /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/gu,
    (_all, braced, bare) => {
      const name: unknown = braced ?? bare;
      return typeof name === "string" ? (env[name] ?? "") : "";
    },
  );
}

/** `~`, `~/x`, variables; relative paths start at `base`. Empty stays empty. */
export function expandPath(
  path: string,
  options: { readonly env: Env; readonly home: string; readonly base?: string },
): string {
  if (path === "") return "";
  const { env, home, base = home } = options;
  let expanded = path === "~" ? home : path.startsWith("~/") ? join(home, path.slice(2)) : path;
  expanded = expandVariables(expanded, { ...env, HOME: home });
  return isAbsolute(expanded) ? expanded : join(base, expanded);
}
