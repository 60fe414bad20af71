/** A workspace on every change: now, and again at each event of it; a lost event only waits for the next poll. */
import { Workspace } from "#codersdk/workspaces.ts";
import type { Ctx } from "../ctx.ts";
import type { Workspace as Row } from "../database/gen/models.gen.ts";
import type { Pubsub } from "../database/pubsub/pubsub.ts";
import { ApiError } from "../errors.ts";
import { eventStream, type EventStream } from "../httpapi/reply.ts";
import { parseWorkspaceEvent, workspaceChannel } from "../wspubsub/wspubsub.ts";
import { findWorkspace, loadWorkspace, type ViewDeps } from "../workspaceview/load.ts";
import type { WorkspaceViewRow } from "../workspaceview/view.ts";

export interface WatchDeps extends ViewDeps {
  readonly pubsub: Pubsub;
}

/** Events can be lost; nobody looks at an old picture for longer than this. */
const pollMs = 30_000;

export function watchWorkspace(
  deps: WatchDeps,
  ctx: Ctx,
  row: WorkspaceViewRow,
  transport: "sse" | "websocket",
): EventStream {
  return eventStream(transport, Workspace, (signal) => events(deps, ctx.until(signal), row));
}

type Event =
  | { readonly type: "ping" }
  | { readonly type: "data"; readonly data: Workspace }
  | { readonly type: "error"; readonly data: unknown };

async function* events(deps: WatchDeps, ctx: Ctx, { w }: WorkspaceViewRow): AsyncGenerator<Event> {
  yield { type: "ping" };
  for await (const _ of whenChanged(deps, ctx, w)) {
    try {
      // Asked again with the caller's rights as they are now: who lost them is told so, and sees no more.
      yield {
        type: "data",
        data: await loadWorkspace(deps, ctx, await findWorkspace(deps, ctx, { id: w.id })),
      };
    } catch (error) {
      if (ctx.signal.aborted || !(error instanceof ApiError)) throw error;
      yield { type: "error", data: { message: error.message } };
      return;
    }
  }
}

/** Comes back at once, and whenever the workspace or its template may have changed since it was last read. */
export async function* whenChanged(
  deps: Pick<WatchDeps, "pubsub">,
  ctx: Ctx,
  { id, ownerId, templateId }: Row,
): AsyncGenerator<undefined, void> {
  let changed = true;
  let wake: () => void = () => {};
  const mark = (): void => {
    changed = true;
    wake();
  };
  // Subscribed before the first read, so that nothing falls between them.
  using _subscription = await deps.pubsub.subscribe(
    workspaceChannel(ownerId),
    {
      message: (payload) => {
        if (parseWorkspaceEvent(payload)?.workspaceId === id) mark();
      },
      dropped: mark,
    },
    ctx.signal,
  );
  using _template = await deps.pubsub.subscribe(
    `template:${templateId}`,
    { message: mark, dropped: mark },
    ctx.signal,
  );
  const poll = ctx.clock.timer(pollMs, () => {
    mark();
    poll.reset(pollMs);
  });
  ctx.signal.addEventListener("abort", () => wake(), { once: true });
  try {
    while (!ctx.signal.aborted) {
      if (!changed) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      changed = false;
      yield undefined;
    }
  } finally {
    poll.stop();
  }
}
