/** What surrounds every page of signed-in people: skip link, header with navigation, main. */
import { type ReactNode, useRef } from "react";
import { contract } from "#codersdk/contract.ts";
import { useApp, useMe } from "../api/app-context.ts";
import { Link, useLocation, useRouter } from "../lib/router.tsx";
import { useStore } from "../lib/store.ts";
import { type Theme, themes } from "../lib/theme.ts";
import { Icon } from "./icon.tsx";

const sections = [
  { label: "Workspaces", to: "/workspaces", also: "/@" },
  { label: "Templates", to: "/templates", also: "/templates" },
] as const;

const home: Readonly<Record<string, string>> = { "/workspaces": "/" };

export function Shell({ children }: { readonly children: ReactNode }) {
  const { path } = useLocation();
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="bar">
        <Link to="/workspaces" className="brand" aria-label="Coder, workspaces">
          <Mark />
        </Link>
        <nav aria-label="Main">
          <ul className="bar-nav">
            {sections.map(({ label, to, also }) => (
              <li key={to}>
                <Link
                  to={to}
                  aria-current={
                    path === home[to] || path.startsWith(to) || path.startsWith(also) ? "page" : undefined
                  }
                >
                  {label}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <ThemeChoice />
        <UserMenu />
      </header>
      <main id="main">{children}</main>
    </>
  );
}

export function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
      <rect width="32" height="32" rx="7" className="mark-ground" />
      <path d="M9 11l5 5-5 5" className="mark-line" />
      <path d="M17 21.5h7" className="mark-line mark-cursor" />
    </svg>
  );
}

const themeLabels: Readonly<Record<Theme, string>> = { system: "System", light: "Light", dark: "Dark" };

export function ThemeChoice() {
  const { theme } = useApp();
  const chosen = useStore(theme);
  return (
    <label className="theme">
      <span className="visually-hidden">Theme</span>
      <select
        value={chosen}
        onChange={(event) => theme.choose(themes.find((name) => name === event.target.value) ?? "system")}
      >
        {themes.map((name) => (
          <option key={name} value={name}>
            {themeLabels[name]}
          </option>
        ))}
      </select>
    </label>
  );
}

function UserMenu() {
  const { client, session, cache, toasts } = useApp();
  const router = useRouter();
  const me = useMe();
  const menu = useRef<HTMLDivElement>(null);
  const close = (): void => menu.current?.hidePopover();
  const signOut = async (): Promise<void> => {
    try {
      await client.call(contract.users.logout);
    } catch (error) {
      toasts.fail(error);
      return;
    }
    cache.clear();
    session.set({ state: "signed-out", expired: false });
    router.go("/login");
  };
  return (
    <div className="user-menu">
      <button type="button" className="button button-quiet" popoverTarget="user-menu" aria-haspopup="true">
        {me.username}
        <Icon name="chevron" />
      </button>
      <div ref={menu} id="user-menu" popover="auto" className="menu">
        <p className="menu-head">
          {me.name === undefined || me.name === "" ? me.username : me.name}
          <br />
          <span className="muted">{me.email}</span>
        </p>
        <ul>
          <li>
            <Link to="/settings/account" onClick={close}>
              Account
            </Link>
          </li>
          <li>
            <Link to="/settings/tokens" onClick={close}>
              Tokens
            </Link>
          </li>
          <li>
            <button type="button" onClick={() => void signOut()}>
              Sign out
            </button>
          </li>
        </ul>
      </div>
    </div>
  );
}
