/** Environments of Terraform's processes. */

/** Shown with their values; others of Terraform's own variables may hold secrets. */
const shownVariables = new Set([
  "TF_LOG",
  "TF_LOG_PATH",
  "TF_INPUT",
  "TF_DATA_DIR",
  "TF_WORKSPACE",
  "TF_IN_AUTOMATION",
  "TF_REGISTRY_DISCOVERY_RETRY",
  "TF_REGISTRY_CLIENT_TIMEOUT",
  "TF_CLI_CONFIG_FILE",
  "TF_IGNORE",
]);

type Variables = Readonly<Record<string, string>>;

/**
 * The daemon's environment without anything of ours: credentials of the deployment are none of a template's business.
 * `CODER_LOCAL_*` passes: it says how to run an agent of this clone.
 */
export function baseEnv(daemon: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(daemon)) {
    // A reattached provider of the daemon's own surroundings would be killed by our Terraform.
    const ours = name.startsWith("CODER_") && !name.startsWith("CODER_LOCAL_");
    const foreign = ours || name === "TF_REATTACH_PROVIDERS";
    if (value !== undefined && !foreign) out[name] = value;
  }
  // Terraform asks its maker for news otherwise, and waits for the answer.
  return { CHECKPOINT_DISABLE: "1", ...out };
}

/** Lines that tell the user which settings of the daemon reach Terraform. */
export function terraformVariableLines(env: Variables): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith("TF_"))
    .sort()
    .map((name) => {
      const value = shownVariables.has(name) ? (env[name] ?? "") : "<value redacted>";
      return `terraform environment variable: ${name}=${value}`;
    });
}

/** The Go names of a machine, which templates and providers speak. */
export function goPlatform(machine: { readonly platform: string; readonly arch: string }): {
  readonly os: string;
  readonly arch: string;
} {
  const archs: Variables = { x64: "amd64", ia32: "386" };
  return {
    os: machine.platform === "win32" ? "windows" : machine.platform,
    arch: archs[machine.arch] ?? machine.arch,
  };
}
