/** The `coder` program: server, command line and agent. */
import { runProgram } from "./program.ts";

// No top-level await: releases are one CommonJS file.
void runProgram(async () => (await import("#cli/root.ts")).root);
