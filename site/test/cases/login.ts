import type { PageCase } from "../visit.ts";

export const loginCases: readonly PageCase[] = [
  {
    name: "login",
    as: () => undefined,
    path: () => "/workspaces",
    ready: (page) => page.getByRole("button", { name: "Sign in" }).waitFor(),
  },
  {
    name: "not-found",
    as: ({ ada }) => ada,
    path: () => "/nothing/here",
    ready: (page) => page.getByRole("heading", { name: "Not found" }).waitFor(),
  },
];
