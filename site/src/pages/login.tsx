/** Sign-in by password. One-time links have a page of their own, made by the server, so that previews cannot spend them. */
import { useEffect, useState } from "react";
import { contract } from "#codersdk/contract.ts";
import { useApp, useSession } from "../api/app-context.ts";
import { FormError, TextField, useSubmit } from "../components/form.tsx";
import { Mark, ThemeChoice } from "../components/shell.tsx";
import { safePath, useLocation, useRouter } from "../lib/router.tsx";

export function LoginPage() {
  const { client, session, cache } = useApp();
  const router = useRouter();
  const { search } = useLocation();
  const current = useSession();
  const query = new URLSearchParams(search);
  const next = safePath(query.get("redirect") ?? "/", location.origin);
  const message = query.get("message") ?? "";
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  useEffect(() => {
    document.title = "Sign in – Coder";
  }, []);
  const signedIn = current.state === "signed-in";
  useEffect(() => {
    if (signedIn) router.go(next, { replace: true });
  }, [router, signedIn, next]);
  const form = useSubmit(async () => {
    await client.call(contract.users.login, { body: { email, password } });
    const user = await client.call(contract.users.get, { params: { user: "me" } });
    cache.clear();
    session.set({ state: "signed-in", user });
  });
  return (
    <main className="alone">
      <div className="sign-in">
        <Mark />
        <h1>Sign in</h1>
        {message !== "" && form.error === undefined && (
          <p className="notice notice-info" role="status">
            {message}
          </p>
        )}
        <FormError error={form.error} />
        <form onSubmit={form.onSubmit}>
          <TextField
            label="E-mail"
            type="email"
            autoComplete="username"
            required
            autoFocus
            value={email}
            onValue={setEmail}
            error={form.fieldError("email")}
          />
          <TextField
            label="Password"
            type="password"
            autoComplete="current-password"
            required
            value={password}
            onValue={setPassword}
            error={form.fieldError("password")}
          />
          <button type="submit" className="button button-primary button-wide" disabled={form.busy}>
            {form.busy ? "Signing in…" : "Sign in"}
          </button>
        </form>
        <p className="muted small">
          Locked out? Whoever runs this server can make a link that signs you in once:{" "}
          <code>coder login-link</code>
        </p>
      </div>
      <footer className="alone-foot">
        <ThemeChoice />
      </footer>
    </main>
  );
}
