/** What a rendering gives, in the shape of the dynamic parameters' wire (provisioning.md §12.2). */

export interface PreviewDiagnostic {
  readonly severity: "error" | "warning";
  readonly summary: string;
  readonly detail: string;
  readonly extra: { readonly code: string };
}

/** `valid` is false where nobody knows the value; `value` then says what it would be, or is empty. */
export interface HclString {
  readonly value: string;
  readonly valid: boolean;
}

export interface Styling {
  readonly placeholder?: string;
  readonly disabled?: boolean;
  readonly label?: string;
  readonly mask_input?: boolean;
}

export interface PreviewOption {
  readonly name: string;
  readonly description: string;
  readonly value: HclString;
  readonly icon: string;
}

export interface PreviewValidation {
  readonly validation_error: string;
  readonly validation_regex: string | null;
  readonly validation_min: number | null;
  readonly validation_max: number | null;
  readonly validation_monotonic: string | null;
}

export interface PreviewParameter {
  readonly name: string;
  readonly display_name: string;
  readonly description: string;
  readonly type: string;
  readonly form_type: string;
  readonly styling: Styling;
  readonly mutable: boolean;
  readonly default_value: HclString;
  readonly icon: string;
  readonly options: readonly PreviewOption[];
  readonly validations: readonly PreviewValidation[];
  readonly required: boolean;
  readonly order: number;
  readonly ephemeral: boolean;
  readonly value: HclString;
  readonly diagnostics: readonly PreviewDiagnostic[];
}

export interface PreviewTag {
  readonly key: HclString;
  readonly value: HclString;
  readonly value_diagnostics: readonly PreviewDiagnostic[];
}

export interface PreviewTagBlock {
  readonly tags: readonly PreviewTag[];
  /** Key → value of the usable ones. */
  readonly valid: Readonly<Record<string, string>>;
}

export interface PreviewPreset {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly default: boolean;
  readonly prebuilds?: { readonly instances: number };
  readonly diagnostics: readonly PreviewDiagnostic[];
}

export interface PreviewVariable {
  readonly name: string;
  readonly description: string;
  readonly nullable: boolean;
  readonly sensitive: boolean;
  readonly diagnostics: readonly PreviewDiagnostic[];
}

export const problem = (
  summary: string,
  detail: string,
  code = "",
  severity: PreviewDiagnostic["severity"] = "error",
): PreviewDiagnostic => ({ severity, summary, detail, extra: { code } });
