/** Durations of the wire. */
import type { Duration } from "@bufbuild/protobuf/wkt";

/** Milliseconds of a protobuf duration; 0 when absent or negative. */
export function durationMs(duration: Duration | undefined): number {
  if (!duration) return 0;
  return Math.max(0, Number(duration.seconds) * 1000 + duration.nanos / 1e6);
}

/** Metadata intervals carry whole seconds in the place of nanoseconds (spec agent §6). */
export function metadataSeconds(duration: Duration | undefined): number {
  if (!duration) return 0;
  return Math.max(0, Number(duration.seconds) * 1e9 + duration.nanos);
}
