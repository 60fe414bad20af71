/** The web terminal, with a real shell behind a real agent. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { complaints, openAs, shoot, type Visit } from "./visit.ts";
import { violations } from "./snapshot.ts";

const screen = (page: Page) => page.locator(".xterm-rows");

async function type(page: Page, text: string): Promise<void> {
  await page.locator(".xterm").click();
  await page.keyboard.type(`${text}\n`);
}

export const terminalFlows: Readonly<Record<string, (visit: Visit) => Promise<void>>> = {
  "a terminal runs commands, follows the window's size, and comes back with its screen": async (visit) => {
    const context = await openAs(visit, visit.scene.ada);
    const page = await context.newPage();
    const said = complaints(page);
    const sockets: { close: (options: { code: number }) => Promise<void> }[] = [];
    await page.routeWebSocket(/\/pty\?/, (socket) => {
      socket.connectToServer();
      sockets.push(socket);
    });
    await page.goto("/@ada/dev.main/terminal");
    await page.getByText("Connected", { exact: true }).waitFor();
    await type(page, "echo answer-$((6*7))");
    await screen(page).getByText("answer-42").first().waitFor();
    await page.setViewportSize({ width: 700, height: 500 });
    await type(page, "echo size-$(stty size | tr ' ' x)-end");
    await screen(page)
      .getByText(/size-\d{2}x\d{2}-end/)
      .first()
      .waitFor();
    const [, rows, columns] = /size-(\d+)x(\d+)-end/.exec((await screen(page).textContent()) ?? "") ?? [];
    assert.ok(Number(rows) > 10 && Number(rows) < 35 && Number(columns) > 50 && Number(columns) < 95);
    await sockets[0]?.close({ code: 1011 });
    await page.getByText("Connecting again").waitFor();
    await page.getByText("Connected", { exact: true }).waitFor();
    await screen(page).getByText("answer-42").first().waitFor();
    await page.reload();
    await screen(page).getByText("answer-42").first().waitFor();
    await page.setViewportSize({ width: 1280, height: 800 });
    await shoot(page, "terminal-light");
    await page.emulateMedia({ colorScheme: "dark" });
    await shoot(page, "terminal-dark");
    assert.deepEqual(await violations(page), []);
    await type(page, "exit");
    await page.getByText("The shell has ended").waitFor();
    await page.getByRole("button", { name: "Start a new one" }).click();
    await page.getByText("Connected", { exact: true }).waitFor();
    assert.deepEqual(said, []);
    await context.close();
  },

  "a command in a link is shown and asked for first": async (visit) => {
    const context = await openAs(visit, visit.scene.ada);
    const page = await context.newPage();
    await page.goto("/@ada/dev.main/terminal?command=echo%20from-a-link%3B%20sleep%2030");
    await page.getByText("wants to run a command").waitFor();
    assert.equal(await page.locator(".xterm").count(), 0);
    await page.getByRole("button", { name: "Run it" }).click();
    await screen(page).getByText("from-a-link").first().waitFor();
    await context.close();
  },
};
