import { version } from "#buildinfo/buildinfo.ts";
import type { Command } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { renderJson } from "./cliui/table.ts";

const output = option(types.oneOf("text", "json"), {
  flag: "output",
  shorthand: "o",
  default: "text",
  description: "Output format.",
});

/** @param slim whether the program is without a server */
export const newVersionCommand = (slim: boolean): Command => ({
  use: "version",
  short: "Show the version of this program.",
  options: [output],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const info = {
      version,
      build_time: "0001-01-01T00:00:00Z",
      external_url: "",
      slim,
      agpl: false,
      boring_crypto: false,
    };
    inv.stdout.write(inv.get(output) === "json" ? renderJson(info) : `Coder ${version}\n`);
  },
});
