/** The caller's workspaces: search, live status, and what can be done with each. */
import { useId, useState } from "react";
import { contract } from "#codersdk/contract.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import { useQuery } from "../api/app-context.ts";
import { Icon } from "../components/icon.tsx";
import { Page } from "../components/page.tsx";
import { Empty, Loaded } from "../components/states.tsx";
import { Badge, lookOf } from "../components/status.tsx";
import { Ago } from "../components/time.tsx";
import { WorkspaceActions } from "../components/workspace-actions.tsx";
import { plural } from "../lib/format.ts";
import { Link, useLocation, useRouter } from "../lib/router.tsx";

const mine = "owner:me";
const pageSize = 50;
const filters = [
  { label: "Mine", q: mine },
  { label: "Running", q: "owner:me status:running" },
  { label: "Outdated", q: "owner:me outdated:true" },
  { label: "Everybody's", q: "" },
] as const;

export function WorkspacesPage() {
  const router = useRouter();
  const search = new URLSearchParams(useLocation().search);
  const q = search.get("q") ?? mine;
  const page = Math.max(1, Number(search.get("page")) || 1);
  const go = (nextQ: string, nextPage: number): void => {
    const next = new URLSearchParams();
    if (nextQ !== mine) next.set("q", nextQ);
    if (nextPage > 1) next.set("page", String(nextPage));
    router.setSearch(next);
  };
  const query = useQuery(
    `workspaces?${q}&${page}`,
    (client, signal) =>
      client.call(contract.workspaces.list, {
        query: { q, limit: pageSize, offset: (page - 1) * pageSize },
        signal,
      }),
    { pollMs: 5000 },
  );
  return (
    <Page
      title="Workspaces"
      actions={
        <Link to="/templates" className="button button-primary">
          <Icon name="plus" /> New workspace
        </Link>
      }
    >
      <Search q={q} onSearch={(text) => go(text, 1)} />
      <Loaded query={query} rows={5}>
        {({ workspaces, count }) =>
          workspaces.length === 0 ? (
            <Nothing q={q} />
          ) : (
            <>
              <Table workspaces={workspaces} />
              <Pager page={page} count={count} onPage={(to) => go(q, to)} />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

function Search({ q, onSearch }: { readonly q: string; readonly onSearch: (q: string) => void }) {
  const [text, setText] = useState(q);
  const [shown, setShown] = useState(q);
  const help = useId();
  // A chip or the back button changes the query from outside.
  if (shown !== q) {
    setShown(q);
    setText(q);
  }
  return (
    <form
      role="search"
      className="toolbar"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(text.trim());
      }}
    >
      <div className="search">
        <Icon name="search" />
        <input
          type="search"
          aria-label="Search workspaces"
          aria-describedby={help}
          placeholder="name, owner:me, template:docker, status:running…"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <div className="chips" role="group" aria-label="Filters">
        {filters.map(({ label, q: wanted }) => (
          <button
            key={label}
            type="button"
            className="chip"
            aria-pressed={q === wanted}
            onClick={() => onSearch(wanted)}
          >
            {label}
          </button>
        ))}
      </div>
      <span id={help} className="visually-hidden">
        Press Enter to search.
      </span>
    </form>
  );
}

function Nothing({ q }: { readonly q: string }) {
  if (q === mine) {
    return (
      <Empty
        title="You have no workspaces yet"
        action={
          <Link to="/templates" className="button button-primary">
            Choose a template
          </Link>
        }
      >
        A workspace is a machine to develop on, made from a template.
      </Empty>
    );
  }
  return <Empty title="No workspace fits this search">Change the words, or choose another filter.</Empty>;
}

function Table({ workspaces }: { readonly workspaces: readonly Workspace[] }) {
  return (
    <div className="table-wrap">
      <table>
        <thead>
          <tr>
            <th scope="col">Workspace</th>
            <th scope="col">Status</th>
            <th scope="col">Template</th>
            <th scope="col">Last used</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {workspaces.map((workspace) => (
            <Row key={workspace.id} workspace={workspace} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ workspace }: { readonly workspace: Workspace }) {
  const { owner_name: owner, name, template_name: template } = workspace;
  return (
    <tr>
      <th scope="row">
        <Link to={`/@${owner}/${name}`} className="strong">
          {name}
        </Link>
        {workspace.favorite && (
          <span className="favorite" title="Favourite">
            <Icon name="star" filled />
            <span className="visually-hidden">Favourite</span>
          </span>
        )}
        <div className="muted small">{owner}</div>
      </th>
      <td>
        <Badge {...lookOf(workspace)} />
      </td>
      <td>
        <Link to={`/templates/${template}`}>{workspace.template_display_name || template}</Link>
        <div className="muted small">
          {workspace.latest_build.template_version_name}
          {workspace.outdated && <span className="tag">update available</span>}
        </div>
      </td>
      <td>{workspace.last_used_at.getTime() > 0 ? <Ago time={workspace.last_used_at} /> : "never"}</td>
      <td className="row-actions">
        <WorkspaceActions workspace={workspace} compact />
      </td>
    </tr>
  );
}

interface PagerProps {
  readonly page: number;
  readonly count: number;
  readonly onPage: (page: number) => void;
}

function Pager({ page, count, onPage }: PagerProps) {
  const last = Math.max(1, Math.ceil(count / pageSize));
  return (
    <nav aria-label="Pages" className="pager">
      <span className="muted">{plural(count, "workspace")}</span>
      {last > 1 && (
        <>
          <button type="button" className="button" disabled={page <= 1} onClick={() => onPage(page - 1)}>
            Previous
          </button>
          <span>
            Page {page} of {last}
          </span>
          <button type="button" className="button" disabled={page >= last} onClick={() => onPage(page + 1)}>
            Next
          </button>
        </>
      )}
    </nav>
  );
}
