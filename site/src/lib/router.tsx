/**
 * Navigation: the address bar is the state. `routes` of app.tsx are patterns such as `/templates/:name`; links are plain
 * anchors, so that opening in a new tab works as everywhere.
 */
import { type AnchorHTMLAttributes, createContext, type MouseEvent, type ReactNode, useContext } from "react";
import { Store, useStore } from "./store.ts";

export interface Location {
  readonly path: string;
  readonly search: string;
  /** Counts navigations in this document; 0 is the page that was loaded. */
  readonly visit: number;
}

export class Router {
  readonly location: Store<Location>;

  constructor() {
    this.location = new Store<Location>({ path: location.pathname, search: location.search, visit: 0 });
    window.addEventListener("popstate", () => this.#moved());
  }

  /** `replace` leaves no entry in the history. */
  go(to: string, options: { readonly replace?: boolean } = {}): void {
    if (options.replace) history.replaceState(null, "", to);
    else history.pushState(null, "", to);
    this.#moved();
    if (!options.replace) window.scrollTo(0, 0);
  }

  /** Changes the query without being a navigation: no focus moves, no entry in the history. */
  setSearch(search: URLSearchParams): void {
    const text = search.toString();
    history.replaceState(null, "", location.pathname + (text === "" ? "" : `?${text}`));
    this.location.set({ ...this.location.get(), search: location.search });
  }

  #moved(): void {
    const { visit } = this.location.get();
    this.location.set({ path: location.pathname, search: location.search, visit: visit + 1 });
  }
}

const RouterContext = createContext<Router | undefined>(undefined);
export const RouterProvider = RouterContext.Provider;

export function useRouter(): Router {
  const router = useContext(RouterContext);
  if (router === undefined) throw new Error("a component stands outside of the router");
  return router;
}

export const useLocation = (): Location => useStore(useRouter().location);

export type Params = Readonly<Record<string, string>>;

/** What a page gets. */
export interface RouteProps {
  readonly params: Params;
}

/** Parameters of a path that fits the pattern. `/@:user/:workspace` matches `/@ann/dev`. Pure. */
export function matchPath(pattern: string, path: string): Params | undefined {
  const wanted = segments(pattern);
  const given = segments(path);
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const value = decode(given[at] ?? "");
    const colon = part.indexOf(":");
    if (value === undefined) return undefined;
    if (colon < 0) {
      if (part !== value) return undefined;
      continue;
    }
    const fixed = part.slice(0, colon);
    if (!value.startsWith(fixed) || value === fixed) return undefined;
    params[part.slice(colon + 1)] = value.slice(fixed.length);
  }
  return params;
}

const segments = (path: string): string[] => path.split("/").filter((part) => part !== "");

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** A path of this site, whatever was asked for: nobody may send people elsewhere through our sign-in. Pure. */
export function safePath(wanted: string, here: string): string {
  // Browsers read backslashes as slashes and skip control characters.
  // oxlint-disable-next-line no-control-regex
  if (!/^\/(?![/\\])/.test(wanted) || /[\\\u0000-\u001f]/.test(wanted) || !URL.canParse(wanted, here)) {
    return "/";
  }
  const url = new URL(wanted, here);
  return url.origin === here && !url.pathname.startsWith("//") ? url.pathname + url.search : "/";
}

interface LinkProps extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "href"> {
  readonly to: string;
  readonly children: ReactNode;
}

export function Link({ to, children, onClick, ...rest }: LinkProps) {
  const router = useRouter();
  const click = (event: MouseEvent<HTMLAnchorElement>): void => {
    onClick?.(event);
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (event.defaultPrevented || !plain || rest.target === "_blank") return;
    event.preventDefault();
    router.go(to);
  };
  return (
    <a {...rest} href={to} onClick={click}>
      {children}
    </a>
  );
}
