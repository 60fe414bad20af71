/**
 * The dashboard, in a browser: makes what all pages share (client, session, cache, router) once, and mounts the app. It
 * talks to the server through the same contract and client as the command line.
 */
import { createRoot } from "react-dom/client";
import { type App, AppProvider, type Session } from "./api/app-context.ts";
import { siteClient } from "./api/client.ts";
import { AppRoot } from "./app.tsx";
import { browserClock } from "./lib/clock.ts";
import { QueryCache } from "./lib/query.ts";
import { Router, RouterProvider } from "./lib/router.tsx";
import { Store } from "./lib/store.ts";
import { ThemeStore } from "./lib/theme.ts";
import { Toasts } from "./lib/toasts.ts";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/controls.css";
import "./styles/panels.css";
import "./styles/pages.css";

const session = new Store<Session>({ state: "unknown" });
const app: App = {
  client: siteClient({
    onSignedOut: () => {
      if (session.get().state === "signed-in") session.set({ state: "signed-out", expired: true });
    },
  }),
  clock: browserClock,
  cache: new QueryCache(browserClock),
  session,
  theme: new ThemeStore(),
  toasts: new Toasts(browserClock),
};

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <AppProvider value={app}>
    <RouterProvider value={new Router()}>
      <AppRoot />
    </RouterProvider>
  </AppProvider>,
);
