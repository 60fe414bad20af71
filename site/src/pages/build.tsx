/** One build of a workspace: who, why, how long, its log and what took the time. */
import { contract } from "#codersdk/contract.ts";
import type { WorkspaceBuild, WorkspaceBuildTimings } from "#codersdk/workspacebuilds.ts";
import { useQuery } from "../api/app-context.ts";
import { followBuild, JobLog } from "../components/build-log.tsx";
import { Page } from "../components/page.tsx";
import { Loaded } from "../components/states.tsx";
import { Badge, jobLook } from "../components/status.tsx";
import { Ago, Elapsed } from "../components/time.tsx";
import type { RouteProps } from "../lib/router.tsx";

const pollMs = 2000;

export function BuildPage({ params }: RouteProps) {
  const { user = "", workspace = "", build: number = "" } = params;
  const query = useQuery(
    `workspace-build/${user}/${workspace}/${number}`,
    (client, signal) =>
      client.call(contract.workspaces.buildByNumber, {
        params: { user, workspacename: workspace, buildnumber: number },
        signal,
      }),
    { pollMs },
  );
  const { data } = query;
  return (
    <Page
      title={`${workspace}, build ${number}`}
      crumbs={[
        { label: "Workspaces", to: "/workspaces" },
        { label: workspace, to: `/@${user}/${workspace}` },
      ]}
      heading={
        <>
          Build #{number}
          {data && <Badge {...jobLook(data.job.status)} />}
        </>
      }
    >
      <Loaded query={query}>{(build) => <Build build={build} />}</Loaded>
    </Page>
  );
}

function Build({ build }: { readonly build: WorkspaceBuild }) {
  const { job } = build;
  return (
    <>
      <dl className="facts facts-row gap-below">
        <div>
          <dt>What</dt>
          <dd>{build.transition}</dd>
        </div>
        <div>
          <dt>Asked for by</dt>
          <dd>
            {build.reason === "initiator"
              ? build.initiator_name
              : `${build.initiator_name} (${build.reason})`}
          </dd>
        </div>
        <div>
          <dt>When</dt>
          <dd>
            <Ago time={build.created_at} />
          </dd>
        </div>
        <div>
          <dt>Version</dt>
          <dd>{build.template_version_name}</dd>
        </div>
        <div>
          <dt>Waited</dt>
          <dd>
            <Elapsed from={job.created_at} until={job.started_at ?? job.completed_at} />
          </dd>
        </div>
        {job.started_at !== undefined && (
          <div>
            <dt>Took</dt>
            <dd>
              <Elapsed from={job.started_at} until={job.completed_at} />
            </dd>
          </div>
        )}
      </dl>
      {job.error !== undefined && job.error !== "" && (
        <div className="notice notice-error gap-below">
          <p className="notice-title">It failed</p>
          <p className="detail">{job.error}</p>
        </div>
      )}
      <section className="panel" aria-label="Log">
        <div className="panel-head">
          <h2>Log</h2>
        </div>
        <JobLog job={job} label={`Log of build ${build.build_number}`} follow={followBuild(build.id)} />
      </section>
      {job.completed_at !== undefined && <Timings buildId={build.id} />}
    </>
  );
}

interface Span {
  readonly key: string;
  readonly what: string;
  readonly stage: string;
  readonly from: Date;
  readonly until: Date;
}

/** All that was measured, by its start. Pure. */
export function spansOf(timings: WorkspaceBuildTimings): readonly Span[] {
  return [
    ...timings.provisioner_timings.map(({ resource, action, stage, started_at: from, ended_at: until }) => ({
      what: [action, resource].filter((word) => word !== "").join(" "),
      stage,
      from,
      until,
    })),
    ...timings.agent_connection_timings.map(
      ({ workspace_agent_name: agent, stage, started_at: from, ended_at: until }) => ({
        what: `agent ${agent}`,
        stage,
        from,
        until,
      }),
    ),
    ...timings.agent_script_timings.map(
      ({ display_name: name, workspace_agent_name: agent, stage, started_at: from, ended_at: until }) => ({
        what: `${name} on ${agent}`,
        stage,
        from,
        until,
      }),
    ),
  ]
    .toSorted((a, b) => a.from.getTime() - b.from.getTime())
    .map((span, at) => ({ ...span, key: String(at) }));
}

function Timings({ buildId }: { readonly buildId: string }) {
  const { data } = useQuery(`workspace-build/${buildId}/timings`, (client, signal) =>
    client.call(contract.workspacebuilds.timings, { params: { workspacebuild: buildId }, signal }),
  );
  const spans = data === undefined ? [] : spansOf(data);
  const begin = spans[0]?.from.getTime() ?? 0;
  const end = Math.max(...spans.map(({ until }) => until.getTime()));
  if (spans.length === 0) return null;
  const share = (ms: number): number => (end === begin ? 0 : (100 * ms) / (end - begin));
  return (
    <section className="panel" aria-label="Timings">
      <div className="panel-head">
        <h2>What took the time</h2>
      </div>
      <div className="table-flat">
        <table>
          <thead>
            <tr>
              <th scope="col">Stage</th>
              <th scope="col">What</th>
              <th scope="col">Took</th>
              <th scope="col" aria-hidden="true" className="bar-column" />
            </tr>
          </thead>
          <tbody>
            {spans.map(({ key, stage, what, from, until }) => (
              <tr key={key}>
                <td>{stage}</td>
                <td className="mono">{what}</td>
                <td>
                  <Elapsed from={from} until={until} />
                </td>
                <td aria-hidden="true" className="bar-column">
                  <div
                    className="time-bar"
                    style={{
                      marginLeft: `${share(from.getTime() - begin)}%`,
                      width: `max(3px, ${share(until.getTime() - from.getTime())}%)`,
                    }}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
