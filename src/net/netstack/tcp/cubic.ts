/**
 * CUBIC congestion control (RFC 9438) as data and functions. Windows are in bytes, times in milliseconds. An RTO is not
 * a recovery episode: after one the window grows again from slow start.
 */
const c = 0.4;
const beta = 0.7;
const initialSegments = 10;

export interface Cubic {
  readonly mss: number;
  cwnd: number;
  ssthresh: number;
  /** Window before the last reduction. */
  wMax: number;
  epochStart: number | undefined;
  k: number;
  /** What standard TCP would have. */
  reno: number;
}

export function newCubic(mss: number): Cubic {
  const cwnd = initialSegments * mss;
  return { mss, cwnd, ssthresh: Infinity, wMax: 0, epochStart: undefined, k: 0, reno: cwnd };
}

/** `acked` bytes were acknowledged while the window was the limit. */
export function onAcked(state: Cubic, acked: number, now: number, rttMs: number): void {
  if (state.cwnd < state.ssthresh) {
    state.cwnd += acked;
    return;
  }
  const { mss } = state;
  if (state.epochStart === undefined) {
    state.epochStart = now;
    state.reno = state.cwnd;
    state.wMax = Math.max(state.wMax, state.cwnd);
    state.k = Math.cbrt((state.wMax - state.cwnd) / mss / c);
  }
  const t = (now - state.epochStart + rttMs) / 1000;
  const target = Math.min(c * mss * (t - state.k) ** 3 + state.wMax, 1.5 * state.cwnd);
  const alpha = state.reno < state.wMax ? (3 * (1 - beta)) / (1 + beta) : 1;
  state.reno += (alpha * acked * mss) / state.cwnd;
  if (target > state.cwnd) state.cwnd += ((target - state.cwnd) * acked) / state.cwnd;
  if (state.reno > state.cwnd) state.cwnd = state.reno;
}

/** A loss that acknowledgements showed. */
export function onLoss(state: Cubic): void {
  state.wMax = state.cwnd < state.wMax ? (state.cwnd * (1 + beta)) / 2 : state.cwnd;
  state.ssthresh = Math.max(state.cwnd * beta, 2 * state.mss);
  state.cwnd = state.ssthresh;
  state.epochStart = undefined;
}

export function onTimeout(state: Cubic, inFlight: number): void {
  state.wMax = state.cwnd;
  state.ssthresh = Math.max(inFlight * beta, 2 * state.mss);
  state.cwnd = 2 * state.mss;
  state.epochStart = undefined;
}
