import type { PageCase } from "../visit.ts";

export const workspacesCases: readonly PageCase[] = [
  {
    name: "workspaces",
    as: ({ ada }) => ada,
    path: () => "/",
    ready: (page) => page.getByRole("link", { name: "experiment" }).waitFor(),
  },
  {
    name: "workspaces-none",
    as: ({ bob }) => bob,
    path: () => "/workspaces",
    ready: (page) => page.getByText("You have no workspaces yet").waitFor(),
  },
  {
    name: "workspaces-no-match",
    as: ({ ada }) => ada,
    path: () => "/workspaces?q=name:nothing-like-it",
    ready: (page) => page.getByText("No workspace fits").waitFor(),
  },
  {
    name: "workspaces-bad-search",
    as: ({ ada }) => ada,
    path: () => "/workspaces?q=planet:mars",
    ready: (page) => page.getByRole("alert").waitFor(),
  },
];
