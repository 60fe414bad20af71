/** A text to take along, with a button that copies it. */
import { useState } from "react";
import { useApp } from "../api/app-context.ts";
import { Icon } from "./icon.tsx";

interface CopyProps {
  readonly text: string;
  /** What is copied, for the button's name. */
  readonly label: string;
}

const saidMs = 2000;

export function Copy({ text, label }: CopyProps) {
  return (
    <span className="copy">
      <code>{text}</code>
      <CopyButton text={text} label={label} />
    </span>
  );
}

export function CopyButton({ text, label }: CopyProps) {
  const { clock, toasts } = useApp();
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Browsers give the clipboard to secure origins only.
      toasts.show("The browser does not let this page copy. Select the text and copy it by hand.", "error");
      return;
    }
    setCopied(true);
    clock.after(saidMs, () => setCopied(false));
  };
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={copied ? "Copied" : `Copy ${label}`}
      title={`Copy ${label}`}
      onClick={() => void copy()}
    >
      <Icon name={copied ? "check" : "copy"} />
    </button>
  );
}
