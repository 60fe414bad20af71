/**
 * The form of a template version's parameters. Where the server offers it, the form answers to what is chosen in it
 * (dynamic parameters, over a socket); else it is the fixed list of the version.
 */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Client } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import {
  DynamicParametersRequest,
  DynamicParametersResponse,
  type FriendlyDiagnostic,
  type PreviewParameter,
} from "#codersdk/dynamicparameters.ts";
import { messages, type SocketLike } from "#codersdk/socket.ts";
import type { TemplateVersionParameter } from "#codersdk/templateversions.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import { decode } from "#codersdk/wire-decode.ts";
import { encode } from "#codersdk/wire-encode.ts";
import type { WorkspaceBuildParameter } from "#codersdk/workspacebuilds.ts";
import { useApp } from "./app-context.ts";

export interface Option {
  readonly name: string;
  readonly value: string;
  readonly description: string;
}

/** One parameter as a field of a form, whichever way the server told of it. */
export interface Parameter {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly type: string;
  readonly formType: string;
  readonly options: readonly Option[];
  /** What the server takes when nothing is chosen. */
  readonly value: string;
  readonly required: boolean;
  readonly mutable: boolean;
  readonly ephemeral: boolean;
  readonly disabled: boolean;
  readonly secret: boolean;
  readonly placeholder: string;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly diagnostics: readonly FriendlyDiagnostic[];
}

/** Pure. */
export function fromPreview(parameter: PreviewParameter): Parameter {
  const { styling, validations } = parameter;
  const limit = (key: "validation_min" | "validation_max"): number | undefined =>
    validations.find((one) => one[key] !== null)?.[key] ?? undefined;
  return {
    name: parameter.name,
    label: styling.label ?? (parameter.display_name || parameter.name),
    description: parameter.description,
    type: parameter.type,
    formType: parameter.form_type,
    options: parameter.options.map(({ name, value, description }) => ({
      name,
      value: value.value,
      description,
    })),
    value: parameter.value.valid ? parameter.value.value : "",
    required: parameter.required,
    mutable: parameter.mutable,
    ephemeral: parameter.ephemeral,
    disabled: styling.disabled ?? false,
    secret: styling.mask_input ?? false,
    placeholder: styling.placeholder ?? "",
    min: limit("validation_min"),
    max: limit("validation_max"),
    diagnostics: parameter.diagnostics,
  };
}

/** Pure. */
export function fromVersion(parameter: TemplateVersionParameter): Parameter {
  const { options, type } = parameter;
  const formType =
    parameter.form_type === "" ? (options.length > 0 ? "radio" : defaultForm(type)) : parameter.form_type;
  return {
    name: parameter.name,
    label: parameter.display_name ?? parameter.name,
    description: parameter.description_plaintext,
    type,
    formType,
    options,
    value: parameter.default_value,
    required: parameter.required,
    mutable: parameter.mutable,
    ephemeral: parameter.ephemeral,
    disabled: false,
    secret: false,
    placeholder: "",
    min: parameter.validation_min,
    max: parameter.validation_max,
    diagnostics: [],
  };
}

const defaultForm = (type: string): string =>
  type === "bool" ? "checkbox" : type === "list(string)" ? "tag-select" : "input";

export interface ParameterForm {
  /** Undefined until the server has told. */
  readonly parameters: readonly Parameter[] | undefined;
  readonly diagnostics: readonly FriendlyDiagnostic[];
  readonly error: Error | undefined;
  /** What is shown for a parameter: the choice, else what the server takes. */
  valueOf(parameter: Parameter): string;
  set(name: string, value: string): void;
  /** Many at once, such as those of a preset. */
  setAll(values: Readonly<Record<string, string>>): void;
  /** For the request. */
  chosen(): readonly WorkspaceBuildParameter[];
}

export interface ParameterSource {
  /** Undefined: not known yet. */
  readonly versionId: string | undefined;
  readonly classic: boolean;
  readonly initial: Readonly<Record<string, string>>;
}

const debounceMs = 150;
const none: readonly FriendlyDiagnostic[] = [];

export function useParameterForm({ versionId, classic, initial }: ParameterSource): ParameterForm {
  const { client, clock } = useApp();
  const [choices, setChoices] = useState<Readonly<Record<string, string>>>(initial);
  const [parameters, setParameters] = useState<readonly Parameter[]>();
  const [diagnostics, setDiagnostics] = useState<readonly FriendlyDiagnostic[]>(none);
  const [error, setError] = useState<Error>();
  const socket = useRef<SocketLike>(undefined);
  const sent = useRef(0);
  const latest = useRef(choices);

  const ask = useCallback(() => {
    socket.current?.send(
      encode(DynamicParametersRequest, { id: ++sent.current, inputs: latest.current, owner_id: zeroUuid }),
    );
  }, []);

  useEffect(() => {
    latest.current = choices;
    return clock.after(debounceMs, ask);
  }, [clock, choices, ask]);

  useEffect(() => {
    if (versionId === undefined) return;
    const stop = new AbortController();
    const { signal } = stop;
    const take = (response: DynamicParametersResponse): void => {
      // Answers to older questions come too late.
      if (response.id >= 0 && response.id < sent.current) return;
      setDiagnostics(response.diagnostics);
      if (response.parameters !== null) {
        setParameters(response.parameters.toSorted((a, b) => a.order - b.order).map(fromPreview));
      }
    };
    const load = async (): Promise<void> => {
      if (!classic) {
        try {
          return await followForm(
            client,
            versionId,
            signal,
            (open) => {
              socket.current = open;
              if (open !== undefined && Object.keys(latest.current).length > 0) ask();
            },
            take,
          );
        } catch {
          if (signal.aborted) return;
          // A server or a proxy without it: the fixed list does.
        }
      }
      const list = await client.call(contract.templateversions.richParameters, {
        params: { templateversion: versionId },
        signal,
      });
      setParameters(list.map(fromVersion));
    };
    load().catch((cause: unknown) => {
      if (!signal.aborted) setError(cause instanceof Error ? cause : new Error(String(cause)));
    });
    return () => stop.abort();
  }, [client, versionId, classic, ask]);

  return useMemo(
    () => ({
      parameters,
      diagnostics,
      error,
      valueOf: ({ name, value }) => choices[name] ?? value,
      set: (name, value) => setChoices((now) => ({ ...now, [name]: value })),
      setAll: (values) => setChoices((now) => ({ ...now, ...values })),
      chosen: () =>
        (parameters ?? [])
          .map(({ name, value }) => ({ name, value: choices[name] ?? value }))
          .filter(({ name, value }) => value !== "" || choices[name] !== undefined),
    }),
    [parameters, diagnostics, error, choices],
  );
}

/** Ends without error when the form has ended in its time; throws when it could not be opened. */
async function followForm(
  client: Client,
  versionId: string,
  signal: AbortSignal,
  onSocket: (socket: SocketLike | undefined) => void,
  take: (response: DynamicParametersResponse) => void,
): Promise<void> {
  let shown = false;
  while (!signal.aborted) {
    const open = await client.dial(contract.dynamicparameters.session, {
      params: { templateversion: versionId },
      signal,
    });
    onSocket(open);
    try {
      for await (const text of messages(open, signal)) {
        take(decode(DynamicParametersResponse, JSON.parse(text), { lenient: true }));
        shown = true;
      }
    } catch (error) {
      // Sessions end after half an hour, and servers restart: a form that was shown goes on.
      if (!shown) throw error;
    } finally {
      onSocket(undefined);
    }
    shown = false;
  }
}
