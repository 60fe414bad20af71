/** The block that a start prints. Pure. */
import type { Finding } from "./machine.ts";

export interface Proof {
  readonly command: string;
  readonly answer: string;
  /** From the request to create the workspace to the answer. */
  readonly seconds: number;
}

export interface StartFacts {
  readonly url: string;
  /** On the first start only. */
  readonly loginLink: string | undefined;
  readonly workspace: string;
  readonly proof: Proof | undefined;
  readonly machine: readonly Finding[];
  readonly stateDir: string;
}

export function startBlock(facts: StartFacts): string {
  const lines = [
    "",
    `  Your server runs at    ${facts.url}`,
    ...(facts.loginLink === undefined
      ? ["  Sign in again with     ./coder login-link"]
      : [`  Sign in (once, 15 min) ${facts.loginLink}`]),
    `  Your workspace         ./coder ssh ${facts.workspace}`,
  ];
  if (facts.proof) {
    const { command, answer, seconds } = facts.proof;
    lines.push(
      "",
      `  Proof: ${JSON.stringify(command)} in ${JSON.stringify(facts.workspace)} over ssh answered ${JSON.stringify(answer)},`,
      `         ${seconds.toFixed(1)} s after the workspace was asked for.`,
    );
  }
  lines.push("", "  On this machine");
  for (const { name, found, remedy } of facts.machine) {
    lines.push(found === undefined ? `    - ${name}: none (${remedy})` : `    - ${name} ${found}`);
  }
  lines.push("", `  State: ${facts.stateDir}. Ctrl-C stops everything.`, "");
  return lines.join("\n") + "\n";
}
