/** Finds Chromium (Debian's package, or `CODER_CHROMIUM`), and starts it once for all tests. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { TestContext } from "node:test";
import { type Browser, chromium } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome"];

export function findChromium(env: NodeJS.ProcessEnv): string | undefined {
  const chosen = env["CODER_CHROMIUM"];
  if (chosen !== undefined && chosen !== "") return chosen;
  for (const dir of (env["PATH"] ?? "").split(delimiter)) {
    for (const name of names) if (isProgram(join(dir, name))) return join(dir, name);
  }
  return undefined;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Undefined after skipping the test loudly. */
export async function startChromium(t: TestContext): Promise<Browser | undefined> {
  const executablePath = findChromium(process.env);
  if (executablePath === undefined) {
    t.skip(
      "no Chromium: install Debian's package `chromium`, or set CODER_CHROMIUM; the dashboard was NOT tested",
    );
    return undefined;
  }
  const browser = await chromium.launch({
    executablePath,
    // In containers neither the sandbox nor /dev/shm can be relied on; only our own pages are opened.
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  });
  t.after(() => browser.close());
  return browser;
}
