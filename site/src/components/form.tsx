/** Forms: fields with label, help and error tied together; the server's validations shown at their fields. */
import { type FormEvent, type InputHTMLAttributes, type ReactNode, useId, useState } from "react";
import { ClientError } from "#codersdk/client.ts";
import { messageOf } from "./states.tsx";

interface FieldProps {
  readonly label: ReactNode;
  readonly help?: ReactNode;
  readonly error?: string | undefined;
  /** Gets the ids that tie the control to its label, help and error. */
  readonly children: (props: ControlProps) => ReactNode;
}

export interface ControlProps {
  readonly id: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": boolean | undefined;
}

export function Field({ label, help, error, children }: FieldProps) {
  const id = useId();
  const described = [help === undefined ? "" : `${id}-help`, error === undefined ? "" : `${id}-error`];
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        "aria-describedby": described.filter((one) => one !== "").join(" ") || undefined,
        "aria-invalid": error === undefined ? undefined : true,
      })}
      {help !== undefined && (
        <div id={`${id}-help`} className="help">
          {help}
        </div>
      )}
      {error !== undefined && (
        <div id={`${id}-error`} className="field-error">
          {error}
        </div>
      )}
    </div>
  );
}

interface TextFieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "onChange" | "value"> {
  readonly label: ReactNode;
  readonly help?: ReactNode;
  readonly error?: string | undefined;
  readonly value: string;
  readonly onValue: (value: string) => void;
}

export function TextField({ label, help, error, value, onValue, ...rest }: TextFieldProps) {
  return (
    <Field label={label} help={help} error={error}>
      {(control) => (
        <input {...rest} {...control} value={value} onChange={(event) => onValue(event.target.value)} />
      )}
    </Field>
  );
}

export interface Submission {
  readonly busy: boolean;
  readonly error: Error | undefined;
  /** The server's word on a field, by its wire name. */
  fieldError(name: string): string | undefined;
  readonly onSubmit: (event: FormEvent) => void;
}

/** Runs `send` once at a time; what it throws is kept for the form to show. */
export function useSubmit(send: () => Promise<void>): Submission {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
  const run = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await send();
    } catch (cause) {
      setError(cause instanceof Error ? cause : new Error(String(cause)));
    } finally {
      setBusy(false);
    }
  };
  return {
    busy,
    error,
    fieldError: (name) =>
      error instanceof ClientError
        ? error.validations.find(({ field }) => field === name)?.detail
        : undefined,
    onSubmit: (event) => {
      event.preventDefault();
      if (!busy) void run();
    },
  };
}

/** The error of a form as a whole; takes the focus of screen readers. */
export function FormError({ error }: { readonly error: Error | undefined }) {
  return (
    <div role="alert">
      {error !== undefined && (
        <div className="notice notice-error">
          <p>{messageOf(error)}</p>
          {error instanceof ClientError && error.detail !== undefined && error.detail !== "" && (
            <p className="detail">{error.detail}</p>
          )}
        </div>
      )}
    </div>
  );
}
