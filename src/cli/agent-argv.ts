/** Tells the command lines of agents from others, before anything is loaded. */

/** Whether the words after the program's name are for it. */
export function isAgent(argv: readonly string[]): boolean {
  return argv[0] === "agent";
}
