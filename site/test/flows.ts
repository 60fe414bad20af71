/** What people do, from click to effect. */
import assert from "node:assert/strict";
import { contract } from "#codersdk/contract.ts";
import { testPassword } from "./scene.ts";
import { complaints, openAs, type Visit } from "./visit.ts";

export const flows: Readonly<Record<string, (visit: Visit) => Promise<void>>> = {
  "signing in by password leads back to where one wanted to go": async (visit) => {
    const context = await openAs(visit, undefined);
    const page = await context.newPage();
    await page.goto("/workspaces?q=name%3Adev");
    await page.getByLabel("E-mail").fill("ada@example.com");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Incorrect email or password.").waitFor();
    await page.getByLabel("Password").fill(testPassword);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "dev" }).waitFor();
    assert.match(page.url(), /\/workspaces\?q=name%3Adev$/);
    await page.getByRole("button", { name: "ada" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await context.close();
  },

  "a one-time link signs in by its button": async (visit) => {
    const { url } = await visit.scene.bob.client.call(contract.users.createLoginLink, {
      params: { user: "me" },
    });
    const context = await openAs(visit, undefined);
    const page = await context.newPage();
    const said = complaints(page);
    await page.goto(url);
    await page.reload();
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("You have no workspaces yet").waitFor();
    assert.deepEqual(said, []);
    await context.close();
  },

  "a session that ends in an open page leads to the sign-in and back": async (visit) => {
    const { server, bob } = visit.scene;
    const client = await server.login(bob.email);
    const context = await openAs(visit, { ...bob, token: client.token ?? "" });
    const page = await context.newPage();
    await page.goto("/workspaces?q=owner%3Abob");
    await page.getByText("No workspace fits").waitFor();
    await client.call(contract.users.logout);
    await page.getByText("Your session has ended").waitFor();
    await page.getByLabel("E-mail").fill(bob.email);
    await page.getByLabel("Password").fill(testPassword);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("No workspace fits").waitFor();
    assert.match(page.url(), /q=owner%3Abob$/);
    await context.close();
  },
};
