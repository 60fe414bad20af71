import { expectVisible, type PageCase } from "../visit.ts";

export const templatesCases: readonly PageCase[] = [
  {
    name: "templates",
    as: ({ ada }) => ada,
    path: () => "/templates",
    ready: (page) => page.getByRole("link", { name: "Docker container", exact: true }).waitFor(),
  },
  {
    name: "template",
    as: ({ ada }) => ada,
    path: () => "/templates/docker",
    ready: async (page) => {
      await page.getByText("with a volume for").waitFor();
      await page.getByRole("link", { name: "v1" }).waitFor();
    },
  },
  {
    name: "template-versions",
    as: ({ ada }) => ada,
    path: () => "/templates/docker?tab=versions",
    ready: (page) => page.getByText("First version").waitFor(),
  },
  {
    name: "template-version",
    as: ({ ada }) => ada,
    path: () => "/templates/docker/versions/v1",
    ready: async (page) => {
      await page.getByRole("region", { name: "Resources" }).waitFor();
      await page.getByRole("log").getByText("Plan: 2 to add").first().waitFor();
    },
  },
  {
    name: "template-missing",
    as: ({ bob }) => bob,
    path: () => "/templates/nothing",
    ready: (page) => page.getByRole("alert").waitFor(),
  },
  {
    name: "create-workspace",
    as: ({ bob }) => bob,
    path: () => "/templates/choices/workspace?name=mine&param.dotfiles=https://example.com/dots",
    ready: (page) => expectVisible(page.getByRole("slider", { name: "cores" })),
  },
];
