/** A template version: how its import went, what a workspace of it would have, its readme. */
import { contract } from "#codersdk/contract.ts";
import type { TemplateVersion } from "#codersdk/templateversions.ts";
import { useQuery } from "../api/app-context.ts";
import { followImport, JobLog } from "../components/build-log.tsx";
import { Markdown } from "../components/markdown.tsx";
import { Page } from "../components/page.tsx";
import { Loaded } from "../components/states.tsx";
import { Badge, jobLook } from "../components/status.tsx";
import { Ago, Elapsed } from "../components/time.tsx";
import type { RouteProps } from "../lib/router.tsx";

const pollMs = 3000;

export function VersionPage({ params }: RouteProps) {
  const { org = "default", template = "", version: name = "" } = params;
  const query = useQuery(
    `template-version/${org}/${template}/${name}`,
    (client, signal) =>
      client.call(contract.templateversions.getByName, {
        params: { organization: org, templatename: template, templateversionname: name },
        signal,
      }),
    { pollMs },
  );
  const { data } = query;
  return (
    <Page
      title={`${template}, version ${name}`}
      heading={
        <>
          {name}
          {data && <Badge {...jobLook(data.job.status)} />}
        </>
      }
      crumbs={[
        { label: "Templates", to: "/templates" },
        {
          label: template,
          to: org === "default" ? `/templates/${template}` : `/templates/${org}/${template}`,
        },
      ]}
    >
      <Loaded query={query}>{(version) => <Details version={version} />}</Loaded>
    </Page>
  );
}

function Details({ version }: { readonly version: TemplateVersion }) {
  const { job } = version;
  return (
    <>
      <dl className="facts facts-row gap-below">
        <div>
          <dt>Made by</dt>
          <dd>{version.created_by.username}</dd>
        </div>
        <div>
          <dt>When</dt>
          <dd>
            <Ago time={version.created_at} />
          </dd>
        </div>
        {job.started_at !== undefined && (
          <div>
            <dt>Import took</dt>
            <dd>
              <Elapsed from={job.started_at} until={job.completed_at} />
            </dd>
          </div>
        )}
        {version.message !== "" && (
          <div>
            <dt>Message</dt>
            <dd>{version.message}</dd>
          </div>
        )}
      </dl>
      {job.error !== undefined && job.error !== "" && (
        <div className="notice notice-error gap-below">
          <p className="notice-title">The import failed</p>
          <p className="detail">{job.error}</p>
        </div>
      )}
      {job.status === "succeeded" && <Resources versionId={version.id} />}
      <section className="panel" aria-label="Log of the import">
        <div className="panel-head">
          <h2>Log of the import</h2>
        </div>
        <JobLog job={job} label="Log of the import" follow={followImport(version.id)} />
      </section>
      {version.readme.trim() !== "" && (
        <section className="panel panel-body" aria-label="Readme">
          <Markdown text={version.readme} />
        </section>
      )}
    </>
  );
}

function Resources({ versionId }: { readonly versionId: string }) {
  const { data = [] } = useQuery(`template-version/${versionId}/resources`, (client, signal) =>
    client.call(contract.templateversions.resources, { params: { templateversion: versionId }, signal }),
  );
  const started = data.filter(({ workspace_transition: transition }) => transition === "start");
  if (started.length === 0) return null;
  return (
    <section className="panel" aria-label="Resources">
      <div className="panel-head">
        <h2>A started workspace has</h2>
      </div>
      <ul className="panel-body plain mono">
        {started.map(({ id, type, name, agents = [] }) => (
          <li key={id}>
            {type}.{name}
            {agents.length > 0 && (
              <span className="muted"> with agent {agents.map((a) => a.name).join(", ")}</span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
