/**
 * The first parameter of everything that does work: who acts, until when, and how it is told. Immutable; made once per
 * request, job or loop, and narrowed by the methods below. Nothing here is a service: services are parameters.
 */
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import type { Subject } from "./rbac/subject.ts";

export interface Origin {
  readonly ip: string;
  readonly userAgent: string;
}

export interface Ctx {
  readonly actor: Subject;
  /** Aborts when the work is no longer wanted: client gone, shutdown, deadline. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** In logs, audit rows and the `X-Coder-Request-Id` header. */
  readonly requestId: string;
  readonly clock: Clock;
  /** Where the work was asked for; undefined for work of the server itself. For the audit log. */
  readonly origin?: Origin | undefined;
  /** Time of the clock; SQL gets its time from here. */
  now(): Date;
  /** The same work by another actor; `why` is logged. This is the only way to elevate, so that it can be grepped. */
  as(actor: Subject, why: string): Ctx;
  /** The same work, ended by this signal too. */
  until(signal: AbortSignal): Ctx;
}

export interface CtxOptions {
  readonly actor: Subject;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly requestId: string;
  readonly clock: Clock;
  readonly origin?: Origin | undefined;
}

export function newCtx(options: CtxOptions): Ctx {
  return {
    ...options,
    now: () => options.clock.now(),
    as(actor, why) {
      options.log.debug("acting as another", { actor: actor.friendlyName, why });
      return newCtx({ ...options, actor });
    },
    until: (signal) => newCtx({ ...options, signal: AbortSignal.any([options.signal, signal]) }),
  };
}
