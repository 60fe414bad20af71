/** The frame of a page: document title, heading, actions. After a navigation the heading gets the focus. */
import { type ReactNode, useEffect, useRef } from "react";
import { Link, useLocation } from "../lib/router.tsx";

interface PageProps {
  readonly title: string;
  /** Shown instead of the title; the title stays the document's. */
  readonly heading?: ReactNode;
  readonly crumbs?: readonly { readonly label: string; readonly to: string }[];
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly narrow?: boolean;
}

export function Page({ title, heading, crumbs = [], actions, children, narrow = false }: PageProps) {
  const head = useRef<HTMLHeadingElement>(null);
  const { visit } = useLocation();
  useEffect(() => {
    document.title = `${title} – Coder`;
  }, [title]);
  useEffect(() => {
    if (visit > 0) head.current?.focus();
  }, [visit]);
  return (
    <div className={narrow ? "page page-narrow" : "page"}>
      {crumbs.length > 0 && (
        <nav aria-label="Breadcrumb" className="crumbs">
          <ol>
            {crumbs.map(({ label, to }) => (
              <li key={to}>
                <Link to={to}>{label}</Link>
              </li>
            ))}
          </ol>
        </nav>
      )}
      <header className="page-head">
        <h1 ref={head} tabIndex={-1}>
          {heading ?? title}
        </h1>
        {actions !== undefined && <div className="actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
