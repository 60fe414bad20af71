/** What a page shows when it has nothing to show: still loading, nothing there, something went wrong. */
import type { ReactNode } from "react";
import { ClientError } from "#codersdk/client.ts";
import type { Query } from "../lib/query.ts";

export function Loading({
  label = "Loading…",
  rows = 3,
}: {
  readonly label?: string;
  readonly rows?: number;
}) {
  return (
    <div role="status" className="skeleton">
      <span className="visually-hidden">{label}</span>
      {Array.from({ length: rows }, (_, at) => (
        <div key={at} className="bone" aria-hidden="true" />
      ))}
    </div>
  );
}

interface EmptyProps {
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}

export function Empty({ title, children, action }: EmptyProps) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children !== undefined && <div className="muted">{children}</div>}
      {action !== undefined && <div className="empty-action">{action}</div>}
    </div>
  );
}

interface ErrorStateProps {
  readonly error: Error;
  readonly onRetry?: () => void;
}

export function ErrorState({ error, onRetry }: ErrorStateProps) {
  const missing = error instanceof ClientError && error.status === 404;
  const detail = error instanceof ClientError ? error.detail : undefined;
  return (
    <div className="notice notice-error" role="alert">
      <p className="notice-title">{missing ? "Not found" : "This could not be loaded"}</p>
      <p>{messageOf(error)}</p>
      {detail !== undefined && detail !== "" && <pre className="detail">{detail}</pre>}
      {onRetry && !missing && (
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** What `fetch` says when the server cannot be reached helps nobody. */
export function messageOf(error: Error): string {
  return error instanceof TypeError ? "The server cannot be reached." : error.message;
}

interface LoadedProps<T> {
  readonly query: Query<T>;
  readonly children: (data: T) => ReactNode;
  readonly rows?: number;
}

/** Data if there is some (with a line when its refresh failed), else the error or the wait. */
export function Loaded<T>({ query, children, rows = 3 }: LoadedProps<T>) {
  const { data, error } = query;
  if (data === undefined) {
    return error === undefined ? (
      <Loading rows={rows} />
    ) : (
      <ErrorState error={error} onRetry={() => query.refresh()} />
    );
  }
  return (
    <>
      {error !== undefined && (
        <p className="notice notice-warn" role="status">
          Not up to date: {messageOf(error)}
        </p>
      )}
      {children(data)}
    </>
  );
}
