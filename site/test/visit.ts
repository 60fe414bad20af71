/**
 * Opens pages as somebody and holds each against its golden: in both themes, with the accessibility rules. Each file of
 * `cases/` exports its pages; site.test.ts runs them all in one browser.
 */
import { join } from "node:path";
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { golden } from "#testutil/testutil.ts";
import type { Scene, Someone } from "./scene.ts";
import { snapshot, violations } from "./snapshot.ts";

export interface PageCase {
  /** Of its golden. */
  readonly name: string;
  readonly as: (scene: Scene) => Someone | undefined;
  readonly path: (scene: Scene) => string;
  /** Waits until the page shows what it is about. */
  readonly ready: (page: Page, scene: Scene) => Promise<void>;
}

export const expectVisible = (locator: Locator): Promise<void> => locator.waitFor({ state: "visible" });

export interface Visit {
  readonly scene: Scene;
  readonly browser: Browser;
}

/** A browser window of its own, signed in as that person. */
export async function openAs({ scene, browser }: Visit, who: Someone | undefined): Promise<BrowserContext> {
  const context = await browser.newContext({
    baseURL: scene.server.url,
    colorScheme: "light",
    viewport: { width: 1280, height: 800 },
    locale: "en-US",
    timezoneId: "UTC",
  });
  // On a busy machine; nothing waits for it when all is well.
  context.setDefaultTimeout(30_000);
  if (who !== undefined) {
    await context.addCookies([
      { name: "coder_session_token", value: who.token, url: scene.server.url, httpOnly: true },
    ]);
  }
  return context;
}

/** What the page's console said that it should not have. */
export function complaints(page: Page): string[] {
  const all: string[] = [];
  page.on("console", (message) => {
    // Refused requests are part of what is tested.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      all.push(message.text());
    }
  });
  page.on("pageerror", (error) => all.push(String(error)));
  return all;
}

export async function checkPage(visit: Visit, { name, as, path, ready }: PageCase): Promise<void> {
  const { scene } = visit;
  const context = await openAs(visit, as(scene));
  try {
    const page = await context.newPage();
    const said = complaints(page);
    await page.goto(path(scene));
    await ready(page, scene);
    const trees: string[] = [];
    for (const theme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: theme });
      await shoot(page, `${name}-${theme}`);
      assert.deepEqual(await violations(page), [], `${name}, ${theme} theme: accessibility rules are broken`);
      trees.push(await snapshot(page));
    }
    assert.deepEqual(said, [], `${name} complains in the console`);
    assert.equal(trees[0], trees[1], `${name} says something else in the dark`);
    golden(join(import.meta.dirname, "testdata", `${name}.golden`), trees[0] ?? "");
  } finally {
    await context.close();
  }
}

/** For people who want to look: `CODER_SITE_SHOTS=<folder>` keeps a picture of each page. */
export async function shoot(page: Page, name: string): Promise<void> {
  const dir = process.env["CODER_SITE_SHOTS"];
  if (dir === undefined || dir === "") return;
  mkdirSync(dir, { recursive: true });
  await page.screenshot({ path: join(dir, `${name}.png`) });
}
