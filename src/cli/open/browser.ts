/** Hands a link to the user's desktop. */
import { spawn } from "node:child_process";
import type { Invocation } from "#serpent/command.ts";
import { globals } from "../globals.ts";

/** True if a program took the link. Without a terminal nobody would see it. */
export async function openLink(inv: Invocation, link: string): Promise<boolean> {
  if (inv.get(globals.noOpen) || !inv.stdin.isTTY) return false;
  const browser = inv.env["BROWSER"];
  // BROWSER is the user's own command line; the link is handed over as an argument, never as text of the shell.
  const [command, ...args] = browser ? ["sh", "-c", `${browser} "$1"`, "sh", link] : ["xdg-open", link];
  return await new Promise((resolve) => {
    const child = spawn(command ?? "", args, { stdio: "ignore", detached: true });
    child.once("error", () => resolve(false));
    child.once("spawn", () => {
      child.unref();
      resolve(true);
    });
  });
}
