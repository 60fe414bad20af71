/** What a page says, as text: its accessibility tree (roles, names, states, visible text), without ids and times. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const rules: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g, "<uuid>"],
  [/\b127\.0\.0\.1:\d+/g, "<address>"],
  [/\b(?:just now|in a moment|yesterday|tomorrow)\b/g, "<when>"],
  [/\b(?:in )?\d+ (?:second|minute|hour|day|month|year)s?(?: ago)?\b/g, "<when>"],
  [/\b[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d{2}\s?[AP]M\b/g, "<time>"],
  [/\b\d{1,2}:\d{2}:\d{2}(?:\.\d+)?\b/g, "<time>"],
  [/\b\d+(?:\.\d+)? (?:ms|s|min|h)(?: \d+ (?:s|min))?\b/g, "<duration>"],
  [/\b(ssh-ed25519 AAAA)\S+/g, "$1<key>"],
  [/\bv2\.34\.\d+[+\w.-]*/g, "<version>"],
];

export const withoutChance = (text: string): string =>
  rules.reduce((now, [pattern, name]) => now.replaceAll(pattern, name), text);

export async function snapshot(page: Page): Promise<string> {
  // Key ids are random letters, which no pattern can tell from words.
  await page.evaluate(`document.querySelectorAll(".key-id").forEach((one) => (one.textContent = "<id>"))`);
  const tree = await page.locator("body").ariaSnapshot();
  return `${withoutChance(tree)}\n`;
}

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Serious and critical violations of the accessibility rules, one line each. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const found = await page.evaluate<Violation[]>(
    `axe.run(document, { resultTypes: ["violations"] }).then((result) => result.violations)`,
  );
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html} ${failureSummary ?? ""}`),
    );
}
