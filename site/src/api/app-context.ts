/** What every component may ask for. Made once, in main.tsx. */
import { createContext, useContext } from "react";
import type { Client } from "#codersdk/client.ts";
import type { User } from "#codersdk/users.ts";
import type { Clock } from "../lib/clock.ts";
import type { QueryCache } from "../lib/query.ts";
import { type Query, type QueryOptions, useCachedQuery } from "../lib/query.ts";
import type { Store } from "../lib/store.ts";
import { useStore } from "../lib/store.ts";
import type { ThemeStore } from "../lib/theme.ts";
import type { Toasts } from "../lib/toasts.ts";

/** `unknown` until the server has said who this is. */
export type Session =
  | { readonly state: "unknown" }
  /** `expired`: was signed in when this page was opened. */
  | { readonly state: "signed-out"; readonly expired: boolean }
  | { readonly state: "signed-in"; readonly user: User }
  | { readonly state: "unreachable"; readonly error: Error };

export interface App {
  readonly client: Client;
  readonly clock: Clock;
  readonly cache: QueryCache;
  readonly session: Store<Session>;
  readonly theme: ThemeStore;
  readonly toasts: Toasts;
}

const AppContext = createContext<App | undefined>(undefined);
export const AppProvider = AppContext.Provider;

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error("a component stands outside of the app");
  return app;
}

export const useSession = (): Session => useStore(useApp().session);

/** Whoever is signed in; pages behind the sign-in only. */
export function useMe(): User {
  const session = useSession();
  if (session.state !== "signed-in") throw new Error("this page is for signed-in people");
  return session.user;
}

/** Reads through the API; see lib/query.ts. `load` must depend on nothing but the key. */
export function useQuery<T>(
  key: string,
  load: (client: Client, signal: AbortSignal) => Promise<T>,
  options: QueryOptions = {},
): Query<T> {
  const { client, cache } = useApp();
  return useCachedQuery(cache, key, (signal) => load(client, signal), options);
}
