/** Fields for parameters, by what their template asks for: choices, switches, sliders, text. */
import { useId } from "react";
import type { FriendlyDiagnostic } from "#codersdk/dynamicparameters.ts";
import type { Parameter, ParameterForm } from "../api/parameters.ts";
import { Field } from "./form.tsx";

interface ParameterFieldsProps {
  readonly form: ParameterForm;
  /** Leaves out those that only a new workspace may choose. */
  readonly onlyMutable?: boolean;
}

export function ParameterFields({ form, onlyMutable = false }: ParameterFieldsProps) {
  const shown = (form.parameters ?? []).filter(({ mutable }) => mutable || !onlyMutable);
  return (
    <>
      {shown.map((parameter) => (
        <ParameterField
          key={parameter.name}
          parameter={parameter}
          value={form.valueOf(parameter)}
          onValue={(value) => form.set(parameter.name, value)}
        />
      ))}
    </>
  );
}

interface ParameterFieldProps {
  readonly parameter: Parameter;
  readonly value: string;
  readonly onValue: (value: string) => void;
}

function ParameterField(props: ParameterFieldProps) {
  const { parameter } = props;
  switch (parameter.formType) {
    case "radio":
      return <Choices {...props} several={false} />;
    case "multi-select":
      return <Choices {...props} several />;
    case "checkbox":
    case "switch":
      return <Switch {...props} />;
    default:
      return parameter.formType === "input" && parameter.options.length > 0 ? (
        <Choices {...props} several={false} />
      ) : (
        <Single {...props} />
      );
  }
}

const errorOf = ({ diagnostics }: Parameter): string | undefined =>
  diagnostics.find(({ severity }) => severity === "error")?.detail ||
  diagnostics.find(({ severity }) => severity === "error")?.summary;

function Label({ parameter }: { readonly parameter: Parameter }) {
  const { label, required, mutable, ephemeral } = parameter;
  return (
    <>
      {label}
      {required && <span className="hint">required</span>}
      {!mutable && <span className="hint">cannot be changed later</span>}
      {ephemeral && <span className="hint">for this start only</span>}
    </>
  );
}

const helpOf = ({ description }: Parameter): string | undefined =>
  description === "" ? undefined : description;

/** One control with a label. */
function Single({ parameter, value, onValue }: ParameterFieldProps) {
  const { formType, type, options, min, max, placeholder, disabled, secret, required } = parameter;
  return (
    <Field label={<Label parameter={parameter} />} help={helpOf(parameter)} error={errorOf(parameter)}>
      {(control) => {
        const shared = { ...control, disabled, required, value };
        switch (formType) {
          case "dropdown":
            return (
              <select {...shared} onChange={(event) => onValue(event.target.value)}>
                {!options.some((option) => option.value === value) && <option value={value}>Choose…</option>}
                {options.map((option) => (
                  <option key={option.value} value={option.value}>
                    {option.name}
                  </option>
                ))}
              </select>
            );
          case "textarea":
            return (
              <textarea
                {...shared}
                rows={4}
                placeholder={placeholder}
                onChange={(event) => onValue(event.target.value)}
              />
            );
          case "slider":
            return (
              <span className="slider">
                <input
                  {...shared}
                  type="range"
                  min={min ?? 0}
                  max={max ?? 100}
                  onChange={(event) => onValue(event.target.value)}
                />
                <output>{value}</output>
              </span>
            );
          case "tag-select":
            return (
              <input
                {...shared}
                value={readList(value).join(", ")}
                placeholder={placeholder || "one, two, three"}
                onChange={(event) => onValue(writeList(event.target.value.split(",")))}
              />
            );
          default:
            return (
              <input
                {...shared}
                type={secret ? "password" : type === "number" ? "number" : "text"}
                min={min}
                max={max}
                placeholder={placeholder}
                autoComplete="off"
                spellCheck={false}
                onChange={(event) => onValue(event.target.value)}
              />
            );
        }
      }}
    </Field>
  );
}

function Switch({ parameter, value, onValue }: ParameterFieldProps) {
  const id = useId();
  const help = helpOf(parameter);
  const error = errorOf(parameter);
  return (
    <div className="field">
      <label className="check">
        <input
          type="checkbox"
          checked={value === "true"}
          disabled={parameter.disabled}
          aria-describedby={help === undefined ? undefined : id}
          onChange={(event) => onValue(String(event.target.checked))}
        />
        <span>
          <Label parameter={parameter} />
        </span>
      </label>
      {help !== undefined && (
        <div id={id} className="help">
          {help}
        </div>
      )}
      {error !== undefined && <div className="field-error">{error}</div>}
    </div>
  );
}

function Choices({
  parameter,
  value,
  onValue,
  several,
}: ParameterFieldProps & { readonly several: boolean }) {
  const name = useId();
  const { options, disabled } = parameter;
  const help = helpOf(parameter);
  const error = errorOf(parameter);
  const chosen = several ? readList(value) : [value];
  const toggle = (option: string, on: boolean): void => {
    if (!several) return onValue(option);
    onValue(writeList(on ? [...chosen, option] : chosen.filter((one) => one !== option)));
  };
  return (
    <fieldset className="field" aria-describedby={help === undefined ? undefined : `${name}-help`}>
      <legend>
        <Label parameter={parameter} />
      </legend>
      {help !== undefined && (
        <div id={`${name}-help`} className="help">
          {help}
        </div>
      )}
      <div className="choices">
        {options.map((option) => (
          <label key={option.value} className="choice">
            <input
              type={several ? "checkbox" : "radio"}
              name={name}
              disabled={disabled}
              checked={chosen.includes(option.value)}
              onChange={(event) => toggle(option.value, event.target.checked)}
            />
            <span>
              {option.name}
              {option.description !== "" && <span className="help">{option.description}</span>}
            </span>
          </label>
        ))}
      </div>
      {error !== undefined && <div className="field-error">{error}</div>}
    </fieldset>
  );
}

/** A list travels as JSON. Pure. */
export function readList(value: string): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(value);
    return Array.isArray(parsed) ? parsed.map(String) : [];
  } catch {
    return [];
  }
}

const writeList = (items: readonly string[]): string => JSON.stringify(items.map((item) => item.trim()));

export function Diagnostics({ diagnostics }: { readonly diagnostics: readonly FriendlyDiagnostic[] }) {
  return (
    <div role="status">
      {diagnostics.map(({ severity, summary, detail }, at) => (
        <div key={at} className={severity === "error" ? "notice notice-error" : "notice notice-warn"}>
          <p className="notice-title">{summary}</p>
          {detail !== "" && <p className="detail">{detail}</p>}
        </div>
      ))}
    </div>
  );
}
