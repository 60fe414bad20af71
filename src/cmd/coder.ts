/** The `coder` program: server, command line and agent. */
import { root } from "#cli/root.ts";
import { runProcess } from "./process.ts";

// No top-level await: releases are one CommonJS file.
void runProcess(root);
