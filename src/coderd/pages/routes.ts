/**
 * Pages without script: status, sign-in, a token for the command line, one-time login links. Where a dashboard is built,
 * it answers instead of them, except for login links. Strict content security policy; every form proves that it came
 * from here.
 */
import { version } from "#buildinfo/buildinfo.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import { makeKey } from "../apikey/apikey.ts";
import { audit } from "../audit/audit.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { ApiError } from "../errors.ts";
import { bind, type BoundRoute, type Req } from "../httpapi/bind.ts";
import { rawReply, type RawReply, redirect } from "../httpapi/reply.ts";
import { type CookieOptions, setSessionCookie } from "../httpmw/cookies.ts";
import { login, type LoginDeps } from "../users/login.ts";
import { type IndexDeps, indexPage } from "../site/index-page.ts";
import { isLoginLink, spendLoginLink } from "../users/loginlink.ts";
import { pages } from "./endpoints.ts";
import { type FormProof, formProof, readForm, safeRedirect } from "./form.ts";
import { html, type Html, page, pageHeaders } from "./html.ts";

export interface PagesDeps extends LoginDeps, IndexDeps {
  readonly store: AuthzStore;
  readonly rand: Rand;
  readonly cookies: CookieOptions;
  readonly accessUrl: () => string;
}

type AnyReq = Pick<Req<typeof pages.status>, "headers">;

export function routes(deps: PagesDeps): BoundRoute[] {
  return [...signIn(deps), ...cliAuth(deps), ...loginLinks(deps), statusRoute(deps, "status")];
}

/** Answers every GET outside of the API that no route knows: pages never are 404. */
export const fallback = (deps: PagesDeps): BoundRoute => statusRoute(deps, "fallback");

function show(
  deps: PagesDeps,
  title: string,
  body: Html,
  options: { readonly status?: number; readonly proof?: FormProof } = {},
): RawReply {
  const nonce = deps.rand.string(22);
  return rawReply(options.status ?? 200, page({ title, body, nonce }), {
    headers: pageHeaders(nonce),
    cookies: options.proof?.cookies ?? [],
  });
}

const proofFor = (deps: PagesDeps, req: AnyReq): FormProof => formProof(req.headers, deps.rand, deps.cookies);

const foreignForm = html`<p role="alert">
  This form did not come from this server, or is too old. Reload the page.
</p>`;

function statusRoute(deps: PagesDeps, name: "status" | "fallback"): BoundRoute {
  return bind(pages[name], async (_ctx, req) => {
    const dashboard = await indexPage(deps, req);
    if (dashboard !== undefined) return dashboard;
    const { caller } = req;
    const who =
      caller.kind === "session"
        ? html`<dt>Signed in as</dt>
            <dd>${caller.user.username}</dd>`
        : html`<dt>Session</dt>
            <dd><a href="/login">Sign in</a></dd>`;
    return show(
      deps,
      "Coder",
      html`<p>This server runs. Work with it from the command line:</p>
        <p><code>coder login ${deps.accessUrl()}</code></p>
        <dl>
          <dt>Version</dt>
          <dd>${version}</dd>
          ${who}
        </dl>`,
    );
  });
}

function loginPage(
  deps: PagesDeps,
  req: AnyReq,
  facts: { next: string; message: string; status?: number },
): RawReply {
  const proof = proofFor(deps, req);
  const message = facts.message === "" ? undefined : html`<p role="alert">${facts.message}</p>`;
  const body = html`${message}
    <form method="post" action="/login">
      ${proof.field}<input type="hidden" name="redirect" value="${facts.next}" />
      <label>E-mail <input name="email" type="email" autocomplete="username" required /></label>
      <label
        >Password <input name="password" type="password" autocomplete="current-password" required
      /></label>
      <button>Sign in</button>
    </form>`;
  return show(deps, "Sign in", body, { status: facts.status ?? 200, proof });
}

function signIn(deps: PagesDeps): BoundRoute[] {
  return [
    bind(pages.login, async (_ctx, req) => {
      const next = safeRedirect(req.search.get("redirect") ?? "/");
      if (req.caller.kind === "session") return redirect(303, next);
      const dashboard = await indexPage(deps, req);
      if (dashboard !== undefined) return dashboard;
      return loginPage(deps, req, { next, message: req.search.get("message") ?? "" });
    }),
    bind(pages.postLogin, async (ctx, req) => {
      const form = readForm(req);
      if (form === undefined) return show(deps, "Sign in", foreignForm, { status: 400 });
      const next = safeRedirect(form.get("redirect") ?? "/");
      const given = { email: form.get("email") ?? "", password: form.get("password") ?? "", ip: req.ip };
      try {
        const { token } = await login(deps, ctx, given);
        return redirect(303, next, { cookies: [setSessionCookie(token, deps.cookies)] });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        return loginPage(deps, req, { next, message: error.message, status: error.status });
      }
    }),
  ];
}

function cliAuth(deps: PagesDeps): BoundRoute[] {
  return [
    bind(pages.cliAuth, async (_ctx, req) => {
      const dashboard = await indexPage(deps, req);
      if (dashboard !== undefined) return dashboard;
      const proof = proofFor(deps, req);
      const body = html`<p>
          The command line asks for a session as <strong>${req.caller.user.username}</strong>.
        </p>
        <form method="post" action="/cli-auth">${proof.field}<button>Show a session token</button></form>
        <p>Go on only if you have just run <code>coder login</code> yourself.</p>`;
      return show(deps, "Command line", body, { proof });
    }),
    bind(pages.postCliAuth, async (ctx, req) => {
      if (readForm(req) === undefined) return show(deps, "Command line", foreignForm, { status: 400 });
      const { token, row } = makeKey(deps.rand, {
        userId: req.caller.user.id,
        loginType: "password",
        lifetimeMs: deps.times.defaultTokenMs,
        now: ctx.now(),
        ip: req.ip,
      });
      await deps.store.inTx(ctx, {}, async (tx) => {
        const key = await tx.insertApiKey(ctx, row);
        await audit(tx, ctx, { action: "create", type: "api_key", after: key });
      });
      const body = html`<p>Paste this into the terminal that asks for it. It is shown once.</p>
        <p><code>${token}</code></p>`;
      return show(deps, "Command line", body);
    }),
  ];
}

function loginLinks(deps: PagesDeps): BoundRoute[] {
  const over = html`<p role="alert">This link was used before, or is older than 15 minutes.</p>
    <p>Make a new one on the server: <code>coder login-link</code></p>`;
  return [
    bind(pages.setup, async (ctx, req) => {
      if (!(await isLoginLink(deps.store, ctx, req.params.secret))) {
        return show(deps, "Sign in", over, { status: 404 });
      }
      const proof = proofFor(deps, req);
      const body = html`<p>This link signs you in once.</p>
        <form method="post" action="/setup/${req.params.secret}">
          ${proof.field}<button>Sign in</button>
        </form>`;
      return show(deps, "Sign in", body, { proof });
    }),
    bind(pages.postSetup, async (ctx, req) => {
      if (readForm(req) === undefined) return show(deps, "Sign in", foreignForm, { status: 400 });
      const token = await spendLoginLink(deps, ctx, req.params.secret, req.ip);
      if (token === undefined) return show(deps, "Sign in", over, { status: 404 });
      return redirect(303, "/", { cookies: [setSessionCookie(token, deps.cookies)] });
    }),
  ];
}
