/** A version's form over HTTP: once, or as a conversation over a WebSocket (spec provisioning §12.2). */
import { parseUuid } from "#codersdk/uuid.ts";
import { decode } from "#codersdk/wire-decode.ts";
import { encode } from "#codersdk/wire-encode.ts";
import {
  DynamicParametersRequest,
  DynamicParametersResponse,
  dynamicparameters,
} from "#codersdk/dynamicparameters.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import { problem } from "#preview/dynamic/wire.ts";
import type { Ctx } from "../ctx.ts";
import { organizationMember } from "../database/dbauthz/kinds.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { GetTemplateVersionByIdRow } from "../database/gen/templateversions.gen.ts";
import { ApiError, Invalid, invalidField } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { messageStream } from "../httpapi/reply.ts";
import { CloseSocket, type MessageSocket } from "../httpapi/socket.ts";
import { can } from "../rbac/subject.ts";
import type { Forms } from "./forms.ts";
import { previewOwner } from "./owner.ts";
import type { Values } from "./resolve.ts";

export interface DynamicParametersDeps {
  readonly store: AuthzStore;
  readonly forms: Forms;
}

/** Nobody fills in a form for longer. */
const sessionMs = 30 * 60_000;
/** Most values of one request. */
const maxInputs = 1000;

export function routes(deps: DynamicParametersDeps): BoundRoute[] {
  const { store } = deps;
  const find = async (ctx: Ctx, id: string): Promise<GetTemplateVersionByIdRow> => {
    const version = await store.getTemplateVersionById(ctx, { id });
    if (version.j.completedAt === null) {
      throw new ApiError(425, "TooEarly", "Template version job has not finished");
    }
    if (version.j.jobStatus !== "succeeded") {
      throw new Invalid("The import of this template version did not succeed, so it has no form.");
    }
    return version;
  };
  return [
    bind(dynamicparameters.evaluate, async (ctx, req) => {
      const version = await find(ctx, req.params.templateversion);
      const { inputs, owner_id: ownerId } = req.body();
      checkInputs(inputs);
      return answer(ctx, deps, version, { id: 0, ownerId, inputs });
    }),
    bind(dynamicparameters.session, async (ctx, req) => {
      const version = await find(ctx, req.params.templateversion);
      const ownerId = ownerOf(req.query().user_id, ctx.actor.id);
      return messageStream((socket, signal) =>
        converse(ctx.until(signal), deps, version, { socket, ownerId }),
      );
    }),
  ];
}

function ownerOf(text: string, callerId: string): string {
  if (text === "" || text === "me") return callerId;
  const id = parseUuid(text);
  if (id === undefined) {
    throw invalidField("Invalid user_id query parameter", "user_id", "expected me or a uuid");
  }
  return id;
}

function checkInputs(inputs: Values): void {
  const count = Object.keys(inputs).length;
  if (count > maxInputs) throw new Invalid(`A form has at most ${maxInputs} values, not ${count}.`);
}

interface Question {
  readonly id: number;
  readonly ownerId: string;
  readonly inputs: Values;
}

async function answer(
  ctx: Ctx,
  { store, forms }: DynamicParametersDeps,
  { v }: GetTemplateVersionByIdRow,
  { id, ownerId, inputs }: Question,
): Promise<DynamicParametersResponse> {
  const { organizationId } = v;
  if (!(await mayKnow(ctx, store, ownerId, organizationId))) {
    const unknown = problem(
      "The workspace's owner is not known",
      "There is no such user, or you are not allowed to know of him.",
      "owner_not_found",
    );
    return { id, diagnostics: [unknown], parameters: null };
  }
  const rendered = await forms.with(ctx, store, { versionId: v.id, organizationId, ownerId }, (form) =>
    form.render(inputs),
  );
  const parameters = rendered.parameters.map(({ styling, ...parameter }) => ({
    ...parameter,
    styling: {
      placeholder: styling.placeholder,
      disabled: styling.disabled,
      label: styling.label,
      mask_input: styling.mask_input,
    },
  }));
  return { id, diagnostics: rendered.diagnostics, parameters };
}

/** Whoever may see him as a member may see the form as it is for him. */
async function mayKnow(
  ctx: Ctx,
  store: AuthzStore,
  userId: string,
  organizationId: string,
): Promise<boolean> {
  if (userId === zeroUuid) return false;
  if (!can(ctx.actor, "read", organizationMember.of({ userId, organizationId }))) return false;
  return (await previewOwner(ctx, store, { userId, organizationId })) !== undefined;
}

async function converse(
  ctx: Ctx,
  deps: DynamicParametersDeps,
  version: GetTemplateVersionByIdRow,
  { socket, ownerId: first }: { readonly socket: MessageSocket; readonly ownerId: string },
): Promise<void> {
  const late = ctx.clock.timer(sessionMs, () => socket.close(1000, "the form was open for too long"), {
    tag: "dynamic-parameters",
    unref: true,
  });
  try {
    let ownerId = first;
    const send = async (question: Question): Promise<void> =>
      socket.send(`${encode(DynamicParametersResponse, await answer(ctx, deps, version, question))}\n`);
    await send({ id: -1, ownerId, inputs: {} });
    for await (const { data } of socket.messages()) {
      const { id, inputs, owner_id: owner } = parse(data);
      if (owner !== zeroUuid) ownerId = owner;
      await send({ id, ownerId, inputs });
    }
  } finally {
    late.stop();
  }
}

function parse(data: Buffer): DynamicParametersRequest {
  try {
    const request = decode(DynamicParametersRequest, JSON.parse(data.toString()));
    checkInputs(request.inputs);
    return request;
  } catch {
    throw new CloseSocket(1001, "");
  }
}
