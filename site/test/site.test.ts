/**
 * The dashboard in a real Chromium: one browser and one server for all, or skipped loudly where there is no Chromium.
 * `CODER_SITE_ONLY=<regular expression>` runs some of it; `CODER_SITE_SHOTS=<folder>` keeps pictures.
 */
import { test } from "node:test";
import { loginCases } from "./cases/login.ts";
import { settingsCases } from "./cases/settings.ts";
import { templatesCases } from "./cases/templates.ts";
import { workspaceCases } from "./cases/workspace.ts";
import { workspacesCases } from "./cases/workspaces.ts";
import { startChromium } from "./chromium.ts";
import { flows } from "./flows.ts";
import { terminalFlows } from "./terminal-flows.ts";
import { makeScene } from "./scene.ts";
import { checkPage } from "./visit.ts";

const pages = [...loginCases, ...workspacesCases, ...workspaceCases, ...templatesCases, ...settingsCases];

test("the dashboard", async (t) => {
  const browser = await startChromium(t);
  if (browser === undefined) return;
  const visit = { browser, scene: await makeScene(t) };
  const only = new RegExp(process.env["CODER_SITE_ONLY"] ?? "");
  for (const one of pages.filter(({ name }) => only.test(name))) {
    await t.test(`page ${one.name}`, () => checkPage(visit, one));
  }
  for (const [name, run] of Object.entries({ ...flows, ...terminalFlows }).filter(([name]) =>
    only.test(name),
  )) {
    await t.test(name, () => run(visit));
  }
});
