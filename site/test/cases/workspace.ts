import { contract } from "#codersdk/contract.ts";
import type { PageCase } from "../visit.ts";

export const workspaceCases: readonly PageCase[] = [
  {
    name: "workspace-running",
    as: ({ ada }) => ada,
    path: () => "/@ada/dev",
    ready: async (page) => {
      await page.getByRole("region", { name: "Builds" }).getByText("#1").waitFor();
      await page.getByText("Build log").click();
      await page.getByText("docker_container.workspace: Creating…").waitFor();
    },
  },
  {
    name: "workspace-stopped",
    as: ({ ada }) => ada,
    path: () => "/@ada/api",
    ready: (page) => page.getByRole("region", { name: "Builds" }).getByText("#1").waitFor(),
  },
  {
    name: "workspace-failed",
    as: ({ ada }) => ada,
    path: () => "/@ada/experiment",
    ready: async (page) => {
      await page.getByRole("region", { name: "Builds" }).getByText("#1").waitFor();
      await page.getByRole("log").getByText("Creating").waitFor();
    },
  },
  {
    name: "workspace-foreign",
    as: ({ bob }) => bob,
    path: () => "/@ada/dev",
    ready: (page) => page.getByRole("alert").waitFor(),
  },
  {
    name: "build",
    as: ({ ada }) => ada,
    path: ({ dev }) => `/@ada/${dev.name}/builds/1`,
    ready: async (page, { ada, dev }) => {
      await page.getByRole("log").getByText("Creating").first().waitFor();
      const params = { workspacebuild: dev.latest_build.id };
      const timings = await ada.client.call(contract.workspacebuilds.timings, { params });
      if (timings.provisioner_timings.length > 0) {
        await page.getByRole("region", { name: "Timings" }).waitFor();
      }
    },
  },
];
