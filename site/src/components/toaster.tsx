/** Shows toasts; the region is always there, because screen readers only follow regions that they know. */
import { useApp } from "../api/app-context.ts";
import { useStore } from "../lib/store.ts";
import { Icon } from "./icon.tsx";

export function Toaster() {
  const { toasts } = useApp();
  const all = useStore(toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {all.map(({ id, kind, text }) => (
        <div key={id} className={`toast toast-${kind}`}>
          <span>{text}</span>
          <button
            type="button"
            className="icon-button"
            aria-label="Close message"
            onClick={() => toasts.close(id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
