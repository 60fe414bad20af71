/** Routes, and who may see them: everything but the sign-in needs a session, and comes back after it. */
import { Component, type ComponentType, type ReactNode, Suspense, useEffect } from "react";
import { contract } from "#codersdk/contract.ts";
import { ClientError } from "#codersdk/client.ts";
import { useApp, useSession } from "./api/app-context.ts";
import { Page } from "./components/page.tsx";
import { Shell } from "./components/shell.tsx";
import { ErrorState, Loading } from "./components/states.tsx";
import { Toaster } from "./components/toaster.tsx";
import { Link, matchPath, type RouteProps, useLocation, useRouter } from "./lib/router.tsx";
import { AccountPage, AppearancePage, SecurityPage, SshKeyPage } from "./pages/account.tsx";
import { BuildPage } from "./pages/build.tsx";
import { CliAuthPage } from "./pages/cli-auth.tsx";
import { CreateWorkspacePage } from "./pages/create-workspace.tsx";
import { LoginPage } from "./pages/login.tsx";
import { TemplatePage } from "./pages/template.tsx";
import { TemplatesPage } from "./pages/templates.tsx";
import { TerminalPage } from "./pages/terminal.tsx";
import { TokensPage } from "./pages/tokens.tsx";
import { VersionPage } from "./pages/version.tsx";
import { WorkspaceParametersPage } from "./pages/workspace-parameters.tsx";
import { WorkspacePage } from "./pages/workspace.tsx";
import { WorkspacesPage } from "./pages/workspaces.tsx";

interface Route {
  readonly pattern: string;
  readonly page: ComponentType<RouteProps>;
  /** Without header and navigation. */
  readonly bare?: true;
}

/** First match wins. */
const routes: readonly Route[] = [
  { pattern: "/", page: WorkspacesPage },
  { pattern: "/workspaces", page: WorkspacesPage },
  { pattern: "/templates", page: TemplatesPage },
  { pattern: "/templates/:template", page: TemplatePage },
  { pattern: "/templates/:template/workspace", page: CreateWorkspacePage },
  { pattern: "/templates/:template/versions/:version", page: VersionPage },
  { pattern: "/templates/:org/:template", page: TemplatePage },
  { pattern: "/templates/:org/:template/workspace", page: CreateWorkspacePage },
  { pattern: "/templates/:org/:template/versions/:version", page: VersionPage },
  { pattern: "/@:user/:workspace", page: WorkspacePage },
  { pattern: "/@:user/:workspace/builds/:build", page: BuildPage },
  { pattern: "/@:user/:workspace/terminal", page: TerminalPage, bare: true },
  { pattern: "/@:user/:workspace/settings/parameters", page: WorkspaceParametersPage },
  { pattern: "/settings", page: AccountPage },
  { pattern: "/settings/account", page: AccountPage },
  { pattern: "/settings/security", page: SecurityPage },
  { pattern: "/settings/ssh-keys", page: SshKeyPage },
  { pattern: "/settings/tokens", page: TokensPage },
  { pattern: "/settings/appearance", page: AppearancePage },
  { pattern: "/cli-auth", page: CliAuthPage },
];

export function AppRoot() {
  const { client, session } = useApp();
  const { path } = useLocation();
  useEffect(() => {
    const stop = new AbortController();
    client.call(contract.users.get, { params: { user: "me" }, signal: stop.signal }).then(
      (user) => session.set({ state: "signed-in", user }),
      (error: unknown) => {
        if (stop.signal.aborted) return;
        if (error instanceof ClientError && error.status === 401) {
          session.set({ state: "signed-out", expired: false });
        } else {
          session.set({
            state: "unreachable",
            error: error instanceof Error ? error : new Error(String(error)),
          });
        }
      },
    );
    return () => stop.abort();
  }, [client, session]);
  return (
    <>
      {path === "/login" ? <LoginPage /> : <SignedIn />}
      <Toaster />
    </>
  );
}

function SignedIn() {
  const session = useSession();
  const router = useRouter();
  const { path, search } = useLocation();
  const signedOut = session.state === "signed-out";
  const expired = signedOut && session.expired;
  useEffect(() => {
    if (!signedOut) return;
    const query = new URLSearchParams({ redirect: path + search });
    if (expired) query.set("message", "Your session has ended. Sign in to go on where you were.");
    router.go(`/login?${query.toString()}`, { replace: true });
  }, [router, signedOut, expired, path, search]);
  if (session.state === "unreachable") {
    return (
      <main className="alone">
        <ErrorState error={session.error} onRetry={() => location.reload()} />
      </main>
    );
  }
  if (session.state !== "signed-in") {
    return (
      <main className="alone">
        <Loading rows={0} />
      </main>
    );
  }
  for (const { pattern, page: Shown, bare } of routes) {
    const params = matchPath(pattern, path);
    if (params === undefined) continue;
    const page = (
      <Guarded key={path}>
        <Suspense fallback={<Loading />}>
          <Shown params={params} />
        </Suspense>
      </Guarded>
    );
    return bare ? page : <Shell>{page}</Shell>;
  }
  return (
    <Shell>
      <Page title="Not found">
        <p>
          There is no page at <code>{path}</code>. <Link to="/workspaces">Go to your workspaces</Link>
        </p>
      </Page>
    </Shell>
  );
}

/** A page that fails leaves the rest of the site working. */
class Guarded extends Component<{ readonly children: ReactNode }, { readonly error: Error | undefined }> {
  override state: { readonly error: Error | undefined } = { error: undefined };

  static getDerivedStateFromError(cause: unknown): { readonly error: Error } {
    return { error: cause instanceof Error ? cause : new Error(String(cause)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return <ErrorState error={error} onRetry={() => location.reload()} />;
  }
}
