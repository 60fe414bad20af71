import { contract } from "#codersdk/contract.ts";
import type { PageCase } from "../visit.ts";

export const settingsCases: readonly PageCase[] = [
  {
    name: "account",
    as: ({ ada }) => ada,
    path: () => "/settings/account",
    ready: (page) => page.getByLabel("User name").waitFor(),
  },
  {
    name: "security",
    as: ({ ada }) => ada,
    path: () => "/settings/security",
    ready: (page) => page.getByLabel("Old password").waitFor(),
  },
  {
    name: "ssh-key",
    as: ({ ada }) => ada,
    path: () => "/settings/ssh-keys",
    ready: async (page, { ada }) => {
      const key = await ada.client.call(contract.users.gitSshKey, { params: { user: "me" } });
      await page.getByText(key.public_key.trim()).waitFor();
    },
  },
  {
    name: "tokens-none",
    as: ({ bob }) => bob,
    path: () => "/settings/tokens",
    ready: (page) => page.getByText("You have no tokens").waitFor(),
  },
  {
    name: "tokens",
    as: ({ ada }) => ada,
    path: () => "/settings/tokens",
    ready: async (page, { ada }) => {
      const known = await ada.client.call(contract.apikeys.tokens, { params: { user: "me" } });
      if (!known.some(({ token_name: name }) => name === "ci")) {
        await ada.client.call(contract.apikeys.createToken, {
          params: { user: "me" },
          body: { token_name: "ci", lifetime: 0 },
        });
        await page.reload();
      }
      await page.getByText("ci", { exact: true }).waitFor();
    },
  },
  {
    name: "appearance",
    as: ({ ada }) => ada,
    path: () => "/settings/appearance",
    ready: (page) => page.getByLabel("As your system says").waitFor(),
  },
  {
    name: "cli-auth",
    as: ({ ada }) => ada,
    path: () => "/cli-auth",
    ready: (page) => page.getByRole("button", { name: "Show a session token" }).waitFor(),
  },
];
