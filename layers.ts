/**
 * Who may import whom. `scripts/check-layers.ts` reads this table in the gate. A folder may import folders of lower
 * rank, and those of its own rank that `with` names; each row says why it is where it is.
 */
export interface Layer {
  /** Top-level folder of src/, or a folder below one where the rule is finer. The longest match wins. */
  readonly folder: string;
  readonly rank: number;
  readonly with?: readonly string[];
  /** The only folders that it may import, whatever their rank. */
  readonly only?: readonly string[];
  readonly testOnly?: true;
  readonly why: string;
}

export const layers: readonly Layer[] = [
  { folder: "cmd", rank: 7, why: "composes programs; nothing imports it" },
  {
    folder: "site",
    rank: 6,
    only: ["codersdk"],
    why: "dashboard (site/src); runs in browsers and knows the server by its contract only",
  },
  { folder: "enterprise", rank: 6, why: "passes its features to coderd once; only cmd imports it" },
  { folder: "cli", rank: 5, why: "commands; loads the programs below lazily" },
  { folder: "coderd", rank: 4, why: "control plane" },
  { folder: "agent", rank: 4, why: "runs inside workspaces; meets coderd as messages only" },
  { folder: "vpn", rank: 4, why: "desktop tunnel; meets coderd as messages only" },
  { folder: "support", rank: 4, why: "support bundle" },
  { folder: "scaletest", rank: 4, why: "load generators" },
  {
    folder: "provisionerd",
    rank: 3,
    with: ["provisionersdk"],
    why: "daemon; drives an engine by the session protocol",
  },
  { folder: "provisioner", rank: 3, with: ["provisionersdk"], why: "engines" },
  { folder: "provisionersdk", rank: 3, why: "session protocol" },
  { folder: "codersdk/workspacesdk", rank: 3, why: "dials agents through the tailnet (Node only)" },
  { folder: "codersdk/agentsdk", rank: 3, why: "what an agent asks of its server (Node only)" },
  { folder: "tailnet", rank: 2, with: ["net"], why: "plugs the data plane together" },
  { folder: "net", rank: 2, why: "data plane; its parts know nothing of each other" },
  { folder: "ssh", rank: 2, why: "ssh protocol glue" },
  { folder: "pty", rank: 2, why: "pseudo terminals" },
  { folder: "preview", rank: 2, why: "HCL evaluator, used by engines and by coderd" },
  { folder: "codersdk", rank: 1, why: "wire schemas, contract, client; browser-safe" },
  { folder: "rpc", rank: 1, why: "DRPC, yamux, generated messages" },
  {
    folder: "serpent",
    rank: 0,
    with: ["util", "buildinfo", "quartz", "cryptorand"],
    why: "command and option framework, no domain words",
  },
  { folder: "quartz", rank: 0, why: "clock" },
  { folder: "cryptorand", rank: 0, why: "chance" },
  { folder: "slog", rank: 0, why: "logs" },
  { folder: "tracing", rank: 0, why: "spans" },
  { folder: "buildinfo", rank: 0, why: "version" },
  { folder: "util", rank: 0, with: ["quartz", "cryptorand", "slog"], why: "small bases" },
  {
    folder: "testutil",
    rank: 0,
    with: ["quartz", "cryptorand", "slog", "util"],
    testOnly: true,
    why: "tests only",
  },
];

/** Folders below others that only tests import. */
export const testFolders: readonly string[] = [
  "cli/clitest",
  "pty/ptytest",
  "coderd/coderdtest",
  "coderd/database/dbgen",
  "coderd/database/dbfake",
  "coderd/database/dbtestutil",
  "tailnet/tailnettest",
  "net/natlab",
  "provisioner/native/nativetest",
];
