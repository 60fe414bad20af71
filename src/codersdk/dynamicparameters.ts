/** Forms of template versions: what may be chosen, as it changes with what was chosen. */
import { endpoint } from "./endpoint.ts";
import * as w from "./wire.ts";

export const NullHCLString = w.struct("NullHCLString", { value: w.string(), valid: w.bool() });
export type NullHCLString = w.Infer<typeof NullHCLString>;

export const FriendlyDiagnostic = w.struct("FriendlyDiagnostic", {
  severity: w.enums("error", "warning"),
  summary: w.string(),
  detail: w.string(),
  extra: w.struct("DiagnosticExtra", { code: w.string() }),
});
export type FriendlyDiagnostic = w.Infer<typeof FriendlyDiagnostic>;

export const PreviewParameter = w.struct("PreviewParameter", {
  name: w.string(),
  display_name: w.string(),
  description: w.string(),
  type: w.string(),
  form_type: w.string(),
  styling: w.struct("PreviewParameterStyling", {
    placeholder: w.ptr(w.string()),
    disabled: w.ptr(w.bool()),
    label: w.ptr(w.string()),
    mask_input: w.ptr(w.bool()),
  }),
  mutable: w.bool(),
  default_value: NullHCLString,
  icon: w.string(),
  options: w.list(
    w.struct("PreviewParameterOption", {
      name: w.string(),
      description: w.string(),
      value: NullHCLString,
      icon: w.string(),
    }),
  ),
  validations: w.list(
    w.struct("PreviewParameterValidation", {
      validation_error: w.string(),
      validation_regex: w.nullable(w.string()),
      validation_min: w.nullable(w.int()),
      validation_max: w.nullable(w.int()),
      validation_monotonic: w.nullable(w.string()),
    }),
  ),
  required: w.bool(),
  order: w.int(),
  ephemeral: w.bool(),
  value: NullHCLString,
  diagnostics: w.list(FriendlyDiagnostic),
});
export type PreviewParameter = w.Infer<typeof PreviewParameter>;

export const DynamicParametersRequest = w.struct("DynamicParametersRequest", {
  /** Comes back with the answer. */
  id: w.int(),
  inputs: w.map(w.string()),
  /** The zero uuid: the owner of the request before. */
  owner_id: w.uuid(),
});
export type DynamicParametersRequest = w.Infer<typeof DynamicParametersRequest>;

export const DynamicParametersResponse = w.struct("DynamicParametersResponse", {
  id: w.int(),
  diagnostics: w.list(FriendlyDiagnostic),
  /** Null: nothing could be rendered. */
  parameters: w.nullable(w.list(PreviewParameter)),
});
export type DynamicParametersResponse = w.Infer<typeof DynamicParametersResponse>;

export const dynamicparameters = {
  session: endpoint({
    method: "GET",
    path: "/api/v2/templateversions/{templateversion}/dynamic-parameters",
    auth: "session",
    uuidParams: ["templateversion"],
    query: { user_id: "string" },
    responses: { 101: DynamicParametersResponse },
    stream: ["websocket"],
    summary: "A form that answers to what is chosen in it",
  }),
  evaluate: endpoint({
    method: "POST",
    path: "/api/v2/templateversions/{templateversion}/dynamic-parameters/evaluate",
    auth: "session",
    uuidParams: ["templateversion"],
    body: DynamicParametersRequest,
    responses: { 200: DynamicParametersResponse },
    summary: "A form with these values chosen in it",
  }),
};
