/** What people do, from click to effect. */
import assert from "node:assert/strict";
import { contract } from "#codersdk/contract.ts";
import { testPassword } from "./scene.ts";
import { complaints, openAs, type Visit } from "./visit.ts";

export const flows: Readonly<Record<string, (visit: Visit) => Promise<void>>> = {
  "creating from a template: the form answers to choices, and the new workspace builds before one's eyes":
    async (visit) => {
      const context = await openAs(visit, visit.scene.bob);
      const page = await context.newPage();
      await page.goto("/templates");
      await page.getByRole("link", { name: "New workspace from choices" }).click();
      const cores = page.getByRole("slider", { name: "cores" });
      await cores.waitFor();
      assert.equal(await cores.getAttribute("max"), "8");
      await page.getByLabel("America").check();
      await page.locator('input[type="range"][max="64"]').waitFor();
      await cores.fill("16");
      await page.getByLabel("Name").fill("new");
      await page.getByRole("button", { name: "Create workspace" }).click();
      await page
        .getByText(/Validation failed/)
        .first()
        .waitFor();
      await page.getByLabel("Name").fill("mine");
      await page.getByRole("button", { name: "Create workspace" }).click();
      await page.waitForURL(/\/@bob\/mine$/);
      await page.getByText("Running", { exact: true }).waitFor();
      const values = page.getByRole("region", { name: "Parameters" });
      await values.getByText("16").waitFor();
      await values.getByText("us").waitFor();
      await values.getByRole("link", { name: "Change" }).click();
      await page.getByRole("slider", { name: "cores" }).fill("2");
      await page.getByRole("button", { name: "Save and restart" }).click();
      await page.getByRole("region", { name: "Parameters" }).getByText("2", { exact: true }).waitFor();
      await page.getByRole("button", { name: "Delete" }).click();
      const confirm = page.getByRole("dialog").getByRole("button", { name: "Delete" });
      assert.ok(await confirm.isDisabled());
      await page.getByLabel("Type mine to confirm").fill("mine");
      await confirm.click();
      await page.getByText("This workspace is deleted").waitFor();
      await context.close();
    },

  "stopping and starting shows each step, without a reload": async (visit) => {
    const context = await openAs(visit, visit.scene.ada);
    const page = await context.newPage();
    await page.goto("/@ada/api");
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
    await page.getByRole("region", { name: "Builds" }).getByText("#4 stop").waitFor();
    await page.getByText("Stopped", { exact: true }).waitFor();
    await context.close();
  },

  "a token is shown once, works, and is refused after its deletion": async (visit) => {
    const { server, bob } = visit.scene;
    const context = await openAs(visit, bob);
    const page = await context.newPage();
    await page.goto("/settings/tokens");
    await page.getByRole("button", { name: "New token" }).click();
    await page.getByLabel("Name").fill("deploy");
    await page.getByRole("button", { name: "Make token" }).click();
    const token = (await page.getByRole("dialog").locator("code").textContent()) ?? "";
    const client = server.client.withToken(token);
    const me = await client.call(contract.users.get, { params: { user: "me" } });
    assert.equal(me.username, "bob");
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("button", { name: "Delete deploy" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("You have no tokens").waitFor();
    await assert.rejects(client.call(contract.users.get, { params: { user: "me" } }), /signed out/);
    await context.close();
  },

  "with the keyboard alone: skip link, menu, dialog and its way back": async (visit) => {
    const context = await openAs(visit, visit.scene.ada);
    const page = await context.newPage();
    await page.goto("/@ada/experiment");
    const remove = page.getByRole("button", { name: "Delete" });
    await remove.waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate("document.activeElement.textContent"), "Skip to content");
    await remove.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    assert.equal(await page.evaluate("document.activeElement.textContent"), "Delete");
    await page.getByRole("link", { name: "Templates" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Templates" }).waitFor();
    assert.equal(await page.evaluate("document.activeElement.tagName"), "H1");
    assert.equal(await page.title(), "Templates – Coder");
    await context.close();
  },

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
