/** One workspace, live: state and actions, agents, the build log, and the facts beside it. */
import { useState } from "react";
import { contract } from "#codersdk/contract.ts";
import type { WorkspaceBuild } from "#codersdk/workspacebuilds.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import { useQuery } from "../api/app-context.ts";
import { useWorkspace } from "../api/streams.ts";
import { Agent } from "../components/agent.tsx";
import { followBuild, JobLog } from "../components/build-log.tsx";
import { FavoriteButton } from "../components/favorite.tsx";
import { Page } from "../components/page.tsx";
import { Loaded } from "../components/states.tsx";
import { Badge, jobLook, isBusy, lookOf } from "../components/status.tsx";
import { Ago, Elapsed } from "../components/time.tsx";
import { WorkspaceActions } from "../components/workspace-actions.tsx";
import { duration } from "../lib/format.ts";
import { Link, type RouteProps } from "../lib/router.tsx";
import { scheduleInWords } from "../lib/schedule.ts";

export function WorkspacePage({ params }: RouteProps) {
  const { user = "", workspace: name = "" } = params;
  const query = useWorkspace(user, name);
  const { data } = query;
  return (
    <Page
      title={name}
      crumbs={[{ label: "Workspaces", to: "/workspaces" }]}
      heading={
        data && (
          <>
            <span>
              <span className="muted">{data.owner_name}/</span>
              {data.name}
            </span>
            <Badge {...lookOf(data)} />
          </>
        )
      }
      actions={
        data && (
          <>
            <FavoriteButton workspace={data} />
            <WorkspaceActions workspace={data} />
          </>
        )
      }
    >
      <Loaded query={query}>{(workspace) => <Details workspace={workspace} />}</Loaded>
    </Page>
  );
}

function Details({ workspace }: { readonly workspace: Workspace }) {
  const { latest_build: build } = workspace;
  const agents = build.resources.flatMap(({ agents: some }) => some ?? []);
  const top = agents.filter(({ parent_id: parent }) => parent === null);
  return (
    <div className="columns">
      <div>
        <Notices workspace={workspace} />
        {build.transition === "start" &&
          top.map((agent) => (
            <Agent key={agent.id} agent={agent} workspace={workspace} several={top.length > 1} />
          ))}
        <LatestBuild key={build.id} build={build} />
      </div>
      <aside aria-label="About this workspace">
        <Facts workspace={workspace} />
        <Schedule workspace={workspace} />
        <Parameters workspace={workspace} />
        <History workspace={workspace} />
      </aside>
    </div>
  );
}

function Notices({ workspace }: { readonly workspace: Workspace }) {
  const { latest_build: build, dormant_at: dormant, deleting_at: deleting } = workspace;
  return (
    <>
      {build.status === "deleted" && (
        <p className="notice notice-warn">
          This workspace is deleted. <Link to="/workspaces">Go to your workspaces</Link>
        </p>
      )}
      {build.job.error !== undefined && build.job.error !== "" && (
        <div className="notice notice-error gap-below">
          <p className="notice-title">
            {build.transition === "start" ? "It could not start" : `The ${build.transition} did not succeed`}
          </p>
          <p className="detail">{build.job.error}</p>
        </div>
      )}
      {dormant !== null && (
        <p className="notice notice-warn">
          It is dormant, because nobody has used it for long.
          {deleting !== null && (
            <>
              {" "}
              It will be deleted <Ago time={deleting} />.
            </>
          )}{" "}
          Starting it keeps it.
        </p>
      )}
      {workspace.outdated && build.status !== "deleted" && (
        <p className="notice notice-info gap-below">
          A newer version of its template is active. An update stops the workspace and starts it with that
          version.
        </p>
      )}
    </>
  );
}

function LatestBuild({ build }: { readonly build: WorkspaceBuild }) {
  const active = isBusy(build.status);
  const [open, setOpen] = useState(active || build.status === "failed");
  return (
    <section className="panel" aria-label="Latest build">
      <details className="fold" open={open} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>
          <h2>Build log</h2>
          <span className="muted small">
            #{build.build_number} {build.transition}
            {build.job.started_at !== undefined && (
              <>
                {" · "}
                <Elapsed from={build.job.started_at} until={build.job.completed_at} />
              </>
            )}
          </span>
        </summary>
        {open && (
          <JobLog
            job={build.job}
            label={`Log of build ${build.build_number}`}
            follow={followBuild(build.id)}
          />
        )}
      </details>
    </section>
  );
}

function Facts({ workspace }: { readonly workspace: Workspace }) {
  const { latest_build: build, template_name: template } = workspace;
  const resources = build.resources.filter(({ hide }) => !hide);
  return (
    <section className="panel" aria-label="Details">
      <dl className="panel-body facts facts-stacked">
        <div>
          <dt>Template</dt>
          <dd>
            <Link to={`/templates/${template}`}>{workspace.template_display_name || template}</Link>{" "}
            <span className="muted">{build.template_version_name}</span>
          </dd>
        </div>
        <div>
          <dt>Created</dt>
          <dd>
            <Ago time={workspace.created_at} />
          </dd>
        </div>
        <div>
          <dt>Last used</dt>
          <dd>{workspace.last_used_at.getTime() > 0 ? <Ago time={workspace.last_used_at} /> : "never"}</dd>
        </div>
        {resources.length > 0 && (
          <div>
            <dt>Resources</dt>
            <dd>
              <ul className="plain">
                {resources.map(({ id, type, name, metadata = [] }) => (
                  <li key={id}>
                    <span className="mono">
                      {type}.{name}
                    </span>
                    {metadata.map(({ key, value, sensitive }) => (
                      <div key={key} className="small">
                        <span className="muted">{key}</span> {sensitive ? "••••" : value}
                      </div>
                    ))}
                  </li>
                ))}
              </ul>
            </dd>
          </div>
        )}
      </dl>
    </section>
  );
}

function Schedule({ workspace }: { readonly workspace: Workspace }) {
  const { autostart_schedule: autostart, ttl_ms: ttl, latest_build: build, next_start_at: next } = workspace;
  return (
    <section className="panel" aria-label="Schedule">
      <div className="panel-head">
        <h2>Schedule</h2>
      </div>
      <dl className="panel-body facts facts-stacked">
        <div>
          <dt>Starts by itself</dt>
          <dd>
            {autostart === undefined || autostart === "" ? "no" : scheduleInWords(autostart)}
            {next !== null && (
              <div className="muted small">
                next <Ago time={next} />
              </div>
            )}
          </dd>
        </div>
        <div>
          <dt>Stops by itself</dt>
          <dd>
            {ttl === undefined || ttl === 0 ? "no" : `${duration(ttl)} after its start`}
            {build.status === "running" && build.deadline !== null && (
              <div className="muted small">
                next <Ago time={build.deadline} />
              </div>
            )}
          </dd>
        </div>
        <div>
          <dt>Updates</dt>
          <dd>{workspace.automatic_updates === "always" ? "at each start" : "when you ask"}</dd>
        </div>
      </dl>
    </section>
  );
}

function Parameters({ workspace }: { readonly workspace: Workspace }) {
  const buildId = workspace.latest_build.id;
  const { data } = useQuery(`workspace-build/${buildId}/parameters`, (client, signal) =>
    client.call(contract.workspacebuilds.parameters, { params: { workspacebuild: buildId }, signal }),
  );
  if (data === undefined || data.length === 0) return null;
  return (
    <section className="panel" aria-label="Parameters">
      <div className="panel-head">
        <h2>Parameters</h2>
        <div className="actions">
          <Link to={`/@${workspace.owner_name}/${workspace.name}/settings/parameters`}>Change</Link>
        </div>
      </div>
      <dl className="panel-body facts facts-stacked">
        {data.map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value === "" ? <span className="muted">empty</span> : <code>{value}</code>}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const shownBuilds = 8;

function History({ workspace }: { readonly workspace: Workspace }) {
  const { id, owner_name: owner, name, latest_build: latest } = workspace;
  const { data } = useQuery(
    `workspace-builds/${id}/${latest.build_number}/${latest.status}`,
    (client, signal) =>
      client.call(contract.workspaces.builds, {
        params: { workspace: id },
        query: { limit: shownBuilds },
        signal,
      }),
  );
  if (data === undefined) return null;
  return (
    <section className="panel" aria-label="Builds">
      <div className="panel-head">
        <h2>Builds</h2>
      </div>
      <ol className="panel-body history" reversed>
        {data.map((build) => (
          <li key={build.id}>
            <Link to={`/@${owner}/${name}/builds/${build.build_number}`}>
              #{build.build_number} {build.transition}
            </Link>
            <Badge {...jobLook(build.job.status)} />
            <span className="muted small">
              {build.initiator_name} · <Ago time={build.created_at} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
