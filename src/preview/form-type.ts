/** Which form controls a parameter's type allows, and the one that it gets. */

/** Type → with or without options → controls; the first one is the default. */
const table = new Map<string, { readonly options: readonly string[]; readonly free: readonly string[] }>([
  ["string", { options: ["radio", "dropdown"], free: ["input", "textarea"] }],
  ["number", { options: ["radio", "dropdown"], free: ["input", "slider"] }],
  ["bool", { options: ["radio", "dropdown"], free: ["checkbox", "switch"] }],
  ["list(string)", { options: ["radio", "multi-select"], free: ["tag-select"] }],
]);

export const parameterTypes: readonly string[] = [...table.keys()];

export const formTypes: readonly string[] = [
  "radio",
  "slider",
  "input",
  "dropdown",
  "checkbox",
  "switch",
  "multi-select",
  "tag-select",
  "textarea",
  "error",
];

export interface FormTypeChoice {
  /** The control, "error" where `problem` says why there is none. */
  readonly formType: string;
  /** One sentence that names what was given and what is possible. */
  readonly problem?: string;
}

/** `formType` is "" where the template gives none. */
export function chooseFormType(parameter: {
  readonly type: string;
  readonly formType: string;
  readonly hasOptions: boolean;
}): FormTypeChoice {
  const { type, formType, hasOptions } = parameter;
  const row = table.get(type);
  if (!row) {
    return {
      formType: "error",
      problem: `type ${JSON.stringify(type)} is not supported: choose one of ${parameterTypes.join(", ")}`,
    };
  }
  const allowed = hasOptions ? row.options : row.free;
  if (formType === "") return { formType: allowed[0] ?? "error" };
  if (allowed.includes(formType)) return { formType };
  const other = hasOptions ? row.free : row.options;
  const condition = other.includes(formType) ? ` ${hasOptions ? "with" : "without"} options` : "";
  return {
    formType: "error",
    problem: `form_type ${JSON.stringify(formType)} is not supported for type ${JSON.stringify(type)}${condition}: choose one of ${allowed.join(", ")}`,
  };
}
