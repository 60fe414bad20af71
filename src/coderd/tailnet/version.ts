/** Versions of the tailnet API that a client asks for: `major.minor`, not newer than ours. */
import { agentApiVersion } from "#buildinfo/buildinfo.ts";
import { Invalid } from "../errors.ts";

const [ourMajor = 0, ourMinor = 0] = agentApiVersion.split(".").map(Number);

/** Throws the 400 that clients match by its message; `absent` is what no version means. */
export function checkVersion(text: string, absent: string): void {
  const detail = problem(text === "" ? absent : text);
  if (detail === undefined) return;
  throw new Invalid("Unknown or unsupported API version", { validations: [{ field: "version", detail }] });
}

function problem(text: string): string | undefined {
  const parts = text.split(".");
  const [majorText = "", minorText = ""] = parts;
  if (parts.length !== 2) return `invalid version string: ${text}`;
  if (!/^\d{1,6}$/.test(majorText)) return `invalid major version: ${majorText}`;
  if (!/^\d{1,6}$/.test(minorText)) return `invalid minor version: ${minorText}`;
  const [major, minor] = [Number(majorText), Number(minorText)];
  if (major > ourMajor) {
    return `server is at version ${agentApiVersion}, behind requested major version ${text}`;
  }
  if (major < ourMajor) return `version ${text} is no longer supported`;
  if (minor > ourMinor) {
    return `server is at version ${agentApiVersion}, behind requested minor version ${text}`;
  }
  return undefined;
}
