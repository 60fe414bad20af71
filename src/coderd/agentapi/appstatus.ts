/** What an app says about its work (spec agent §11): the DRPC call and its REST twin. */
import { WorkspaceAppStatusState } from "#codersdk/workspaceagents.ts";
import type { Ctx } from "../ctx.ts";
import { Invalid, invalidField } from "../errors.ts";
import { publishWorkspaceEvent } from "../wspubsub/wspubsub.ts";
import { bumpActivity } from "../workspacestats/bump.ts";
import type { AgentApiDeps, AgentIdentity } from "./deps.ts";

export interface AppStatusReport {
  readonly slug: string;
  readonly state: string;
  readonly message: string;
  readonly uri: string;
}

const maxMessageBytes = 160;
const maxUriBytes = 8192;

type AppStatusDeps = Pick<AgentApiDeps, "store" | "pubsub" | "rand">;

/** `ctx` acts as the agent API. Throws `Invalid` for a report that makes no sense. */
export async function storeAppStatus(
  deps: AppStatusDeps,
  ctx: Ctx,
  identity: Pick<AgentIdentity, "agentId" | "workspaceId" | "ownerId">,
  report: AppStatusReport,
): Promise<void> {
  const { agentId, workspaceId, ownerId } = identity;
  if (Buffer.byteLength(report.message) > maxMessageBytes) {
    const detail = `must be at most ${maxMessageBytes} bytes: received ${Buffer.byteLength(report.message)}`;
    throw new Invalid("The message is too long.", { detail, validations: [{ field: "message", detail }] });
  }
  const state = WorkspaceAppStatusState.safeParse(report.state);
  if (!state.success) {
    throw new Invalid("The state is not known.", {
      detail: `must be one of ${WorkspaceAppStatusState.options.join(", ")}: received ${JSON.stringify(report.state.slice(0, 64))}`,
    });
  }
  if (Buffer.byteLength(report.uri) > maxUriBytes) {
    throw invalidField("The address is too long.", "uri", `must be at most ${maxUriBytes} bytes`);
  }
  const apps = await deps.store.getAgentApps(ctx, { agentId });
  const app = apps.find(({ slug }) => slug === report.slug);
  if (!app) {
    throw new Invalid("The app does not exist.", {
      detail: `the agent has no app with the slug ${JSON.stringify(report.slug.slice(0, 64))}`,
    });
  }
  const before = await deps.store.getLatestAppState(ctx, { appId: app.id });
  await deps.store.insertAgentAppStatus(ctx, {
    id: deps.rand.uuid(),
    agentId,
    appId: app.id,
    workspaceId,
    state: state.data,
    message: forDisplay(report.message),
    uri: report.uri === "" ? null : report.uri,
    now: ctx.now(),
  });
  if (state.data === "working" || before?.state === "working") {
    await bumpActivity(deps.store, ctx, { workspaceId, heedAutostart: false });
  }
  await publishWorkspaceEvent(deps.pubsub, ownerId, { kind: "agt_app_status_update", workspaceId, agentId });
}

/** One line without control characters: it is shown in lists and terminals. */
function forDisplay(text: string): string {
  return text
    .replaceAll(/\p{Cc}\[[0-9;?]*[ -/]*[@-~]/gu, "")
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
}
