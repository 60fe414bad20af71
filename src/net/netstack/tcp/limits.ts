/** Times and sizes of connections. Milliseconds and bytes. */
export const limits = {
  windowScale: 7,
  synWindow: 65_535,
  delayedAckMs: 20,
  timeWaitMs: 30_000,
  /** Without progress for this long the peer is gone. */
  giveUpMs: 15 * 60_000,
  synGiveUpMs: 120_000,
  keepaliveIdleMs: 2 * 3_600_000,
  keepaliveEveryMs: 75_000,
  keepaliveProbes: 9,
  lingerMs: 60_000,
  challengeEveryMs: 100,
} as const;
