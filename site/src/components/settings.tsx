/** The frame of a person's own pages. */
import type { ReactNode } from "react";
import { Link, useLocation } from "../lib/router.tsx";
import { Page } from "./page.tsx";

const pages = [
  { label: "Account", to: "/settings/account" },
  { label: "Security", to: "/settings/security" },
  { label: "SSH key", to: "/settings/ssh-keys" },
  { label: "Tokens", to: "/settings/tokens" },
  { label: "Appearance", to: "/settings/appearance" },
] as const;

interface SettingsProps {
  readonly title: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

export function Settings({ title, actions, children }: SettingsProps) {
  const { path } = useLocation();
  return (
    <Page title={title} actions={actions}>
      <div className="settings">
        <nav aria-label="Settings" className="side-nav">
          <ul>
            {pages.map(({ label, to }) => (
              <li key={to}>
                <Link to={to} aria-current={path === to ? "page" : undefined}>
                  {label}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div>{children}</div>
      </div>
    </Page>
  );
}
