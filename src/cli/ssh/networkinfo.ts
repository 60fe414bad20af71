/**
 * `--network-info-dir`: how good the connection is, in a small file that editors read and show. Written at once and
 * every few seconds; replaced whole, so that a reader never sees half of it.
 */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { AgentConn } from "#codersdk/workspacesdk/dial.ts";
import type { Invocation } from "#serpent/command.ts";

/** How long pings may fail before the session counts as lost. */
const patienceMs = 60_000;

/** Names and units are those that editors' extensions read. */
export interface NetworkInfo {
  readonly p2p: boolean;
  /** Milliseconds. */
  readonly latency: number;
  /** Name of the relay region. */
  readonly preferred_derp: string;
  /** Milliseconds by name of the region. */
  readonly derp_latency: Readonly<Record<string, number>>;
  readonly upload_bytes_sec: number;
  readonly download_bytes_sec: number;
  readonly using_coder_connect: boolean;
}

export async function writeNetworkInfo(dir: string, pid: number, info: NetworkInfo): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, `${pid}.json`);
  await writeFile(`${file}.part`, JSON.stringify(info), { mode: 0o600 });
  await rename(`${file}.part`, file);
}

export const coderConnectInfo: NetworkInfo = {
  p2p: false,
  latency: 0,
  preferred_derp: "",
  derp_latency: {},
  upload_bytes_sec: 0,
  download_bytes_sec: 0,
  using_coder_connect: true,
};

export interface RecordOptions {
  readonly dir: string;
  readonly pid: number;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

/** Resolves when the signal ends it, or when no ping has come back for a minute. */
export async function recordNetwork(inv: Invocation, conn: AgentConn, options: RecordOptions): Promise<void> {
  const { pid, intervalMs, signal } = options;
  const dir = resolve(inv.cwd, options.dir);
  let heard = inv.clock.monotonic();
  let before = { at: heard, ...conn.conn.traffic };
  const record = async (): Promise<void> => {
    try {
      const { latencyMs, via } = await conn.ping({
        signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
      });
      const now = { at: inv.clock.monotonic(), ...conn.conn.traffic };
      const seconds = Math.max(now.at - before.at, 1) / 1000;
      await writeNetworkInfo(dir, pid, {
        p2p: !via.startsWith("DERP("),
        latency: latencyMs,
        ...relays(conn),
        upload_bytes_sec: Math.round((now.txBytes - before.txBytes) / seconds),
        download_bytes_sec: Math.round((now.rxBytes - before.rxBytes) / seconds),
        using_coder_connect: false,
      });
      before = now;
      heard = now.at;
    } catch {
      // A sleeping laptop, a restarting server: the next one may come through.
    }
  };
  await record();
  for await (const _ of inv.clock.ticks(intervalMs, { signal, unref: true })) {
    await record();
    if (inv.clock.monotonic() - heard > patienceMs) return;
  }
}

function relays({ conn }: AgentConn): Pick<NetworkInfo, "preferred_derp" | "derp_latency"> {
  const node = conn.node();
  const nameOf = (id: number): string => conn.derpMap?.regions[id]?.regionName ?? `region ${id}`;
  const latency: Record<string, number> = {};
  for (const [key, seconds] of Object.entries(node?.derpLatency ?? {})) {
    const name = nameOf(Number.parseInt(key, 10));
    latency[name] = Math.min(latency[name] ?? Number.POSITIVE_INFINITY, seconds * 1000);
  }
  return { preferred_derp: node ? nameOf(node.preferredDerp) : "", derp_latency: latency };
}
