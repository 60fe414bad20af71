/** A modal dialog on the browser's own `<dialog>`: focus stays inside, Escape closes, focus returns. */
import { type ReactNode, useId, useLayoutEffect, useRef, useState } from "react";
import { FormError, useSubmit } from "./form.tsx";

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function Dialog({ title, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  // A layout effect: its end still finds the element in the page, so that closing gives the focus back.
  useLayoutEffect(() => {
    const dialog = element.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={element} aria-labelledby={id} className="dialog" onCancel={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  readonly title: string;
  readonly children: ReactNode;
  readonly verb: string;
  readonly danger?: boolean;
  /** Must be typed before the button works. */
  readonly typed?: string;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

export function Confirm({ title, children, verb, danger = false, typed, onConfirm, onClose }: ConfirmProps) {
  const [text, setText] = useState("");
  const id = useId();
  const form = useSubmit(async () => {
    await onConfirm();
    onClose();
  });
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={form.onSubmit}>
        <div className="dialog-text">{children}</div>
        {typed !== undefined && (
          <div className="field">
            <label htmlFor={id}>
              Type <strong>{typed}</strong> to confirm
            </label>
            <input
              id={id}
              value={text}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => setText(event.target.value)}
            />
          </div>
        )}
        <FormError error={form.error} />
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            className={danger ? "button button-danger" : "button button-primary"}
            disabled={form.busy || (typed !== undefined && text !== typed)}
          >
            {verb}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
