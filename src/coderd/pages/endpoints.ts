/** Paths of the pages. They are no API and stand in no contract: browsers are their only clients. */
import { endpoint } from "#codersdk/endpoint.ts";

const html = { 200: { raw: "text/html; charset=utf-8" } } as const;

export const pages = {
  status: endpoint({
    method: "GET",
    path: "/",
    auth: "none",
    rate: "none",
    responses: html,
    summary: "Status",
  }),
  login: endpoint({
    method: "GET",
    path: "/login",
    auth: "none",
    rate: "none",
    responses: html,
    summary: "Sign-in form",
  }),
  postLogin: endpoint({
    method: "POST",
    path: "/login",
    auth: "none",
    rate: "login",
    body: "raw",
    bodyLimit: 16_384,
    responses: html,
    summary: "Sign in",
  }),
  cliAuth: endpoint({
    method: "GET",
    path: "/cli-auth",
    auth: "session-or-login-redirect",
    rate: "none",
    responses: html,
    summary: "Asks whether the command line may have a session",
  }),
  postCliAuth: endpoint({
    method: "POST",
    path: "/cli-auth",
    auth: "session-or-login-redirect",
    rate: "login",
    body: "raw",
    bodyLimit: 16_384,
    responses: html,
    summary: "Shows a session token for the command line",
  }),
  setup: endpoint({
    method: "GET",
    path: "/setup/{secret}",
    auth: "none",
    rate: "none",
    responses: html,
    summary: "One-time login link; seeing it spends nothing",
  }),
  postSetup: endpoint({
    method: "POST",
    path: "/setup/{secret}",
    auth: "none",
    rate: "login",
    body: "raw",
    bodyLimit: 16_384,
    responses: html,
    summary: "Spends the login link",
  }),
  /** Everything that no other route knows. */
  fallback: endpoint({
    method: "GET",
    path: "/{page...}",
    auth: "none",
    rate: "none",
    responses: html,
    summary: "Status",
  }),
};
