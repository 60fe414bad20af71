/** A template: what its authors say of it, and its versions. */
import { contract } from "#codersdk/contract.ts";
import type { Template } from "#codersdk/templates.ts";
import type { TemplateVersion } from "#codersdk/templateversions.ts";
import { useApp, useQuery } from "../api/app-context.ts";
import { Markdown } from "../components/markdown.tsx";
import { Page } from "../components/page.tsx";
import { Empty, Loaded } from "../components/states.tsx";
import { Badge, jobLook } from "../components/status.tsx";
import { Ago } from "../components/time.tsx";
import { duration, plural } from "../lib/format.ts";
import { Link, type RouteProps, useLocation } from "../lib/router.tsx";
import { loadTemplate } from "./create-workspace.tsx";
import { templatePath } from "./templates.tsx";

export function TemplatePage({ params }: RouteProps) {
  const { org = "default", template: name = "" } = params;
  const query = useQuery(`template/${org}/${name}`, (client, signal) =>
    loadTemplate(client, org, name, signal),
  );
  const { data } = query;
  const tab = new URLSearchParams(useLocation().search).get("tab") ?? "readme";
  return (
    <Page
      title={data?.display_name || name}
      crumbs={[{ label: "Templates", to: "/templates" }]}
      actions={
        data &&
        !data.deprecated && (
          <Link to={`${templatePath(data)}/workspace`} className="button button-primary">
            New workspace
          </Link>
        )
      }
    >
      <Loaded query={query}>
        {(template) => (
          <>
            {template.description !== "" && <p className="muted gap-below">{template.description}</p>}
            {template.deprecated && (
              <p className="notice notice-warn">Deprecated: {template.deprecation_message}</p>
            )}
            <Tabs template={template} tab={tab} />
            {tab === "versions" ? <Versions template={template} /> : <Readme template={template} />}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Tabs({ template, tab }: { readonly template: Template; readonly tab: string }) {
  const path = templatePath(template);
  const tabs = [
    { name: "readme", label: "Readme", to: path },
    { name: "versions", label: "Versions", to: `${path}?tab=versions` },
  ];
  return (
    <nav aria-label="Template" className="tabs">
      {tabs.map(({ name, label, to }) => (
        <Link key={name} to={to} aria-current={tab === name ? "page" : undefined}>
          {label}
        </Link>
      ))}
    </nav>
  );
}

function Readme({ template }: { readonly template: Template }) {
  const { active_version_id: id } = template;
  const version = useQuery(`template-version/${id}`, (client, signal) =>
    client.call(contract.templateversions.get, { params: { templateversion: id }, signal }),
  );
  return (
    <div className="columns">
      <Loaded query={version}>
        {({ readme }) =>
          readme.trim() === "" ? (
            <Empty title="This template has no readme">Its authors add one as README.md.</Empty>
          ) : (
            <div className="panel panel-body">
              <Markdown text={readme} />
            </div>
          )
        }
      </Loaded>
      <aside aria-label="About this template">
        <Facts template={template} version={version.data} />
      </aside>
    </div>
  );
}

function Facts({
  template,
  version,
}: {
  readonly template: Template;
  readonly version: TemplateVersion | undefined;
}) {
  const median = template.build_time_stats["start"]?.P50 ?? null;
  return (
    <dl className="panel panel-body facts facts-stacked">
      <div>
        <dt>Active version</dt>
        <dd>
          {version === undefined ? "…" : <Link to={versionPath(template, version)}>{version.name}</Link>}
        </dd>
      </div>
      <div>
        <dt>Last change</dt>
        <dd>
          <Ago time={template.updated_at} /> by {template.created_by_name}
        </dd>
      </div>
      {template.active_user_count >= 0 && (
        <div>
          <dt>Used by</dt>
          <dd>{plural(template.active_user_count, "person", "people")}</dd>
        </div>
      )}
      {median !== null && (
        <div>
          <dt>A start takes</dt>
          <dd>{duration(median)}</dd>
        </div>
      )}
      <div>
        <dt>Workspaces stop by themselves</dt>
        <dd>{template.default_ttl_ms === 0 ? "no" : `after ${duration(template.default_ttl_ms)}`}</dd>
      </div>
    </dl>
  );
}

const versionPath = (template: Template, { name }: Pick<TemplateVersion, "name">): string =>
  `${templatePath(template)}/versions/${encodeURIComponent(name)}`;

function Versions({ template }: { readonly template: Template }) {
  const { id, active_version_id: active } = template;
  const { client, cache, toasts } = useApp();
  const query = useQuery(`template-versions/${id}`, (api, signal) =>
    api.call(contract.templates.versions, { params: { template: id }, signal }),
  );
  const mayEdit = useQuery(`template-edit/${id}`, (api, signal) =>
    api.call(contract.authcheck.check, {
      body: {
        checks: { edit: { object: { resource_type: "template", resource_id: id }, action: "update" } },
      },
      signal,
    }),
  );
  const promote = async (version: TemplateVersion): Promise<void> => {
    try {
      await client.call(contract.templates.promote, {
        params: { template: id },
        body: { id: version.id },
      });
      toasts.show(`${version.name} is active now.`);
      cache.refresh("template");
    } catch (error) {
      toasts.fail(error);
    }
  };
  return (
    <Loaded query={query}>
      {(versions) => (
        <div className="table-wrap">
          <table>
            <thead>
              <tr>
                <th scope="col">Version</th>
                <th scope="col">Import</th>
                <th scope="col">Message</th>
                <th scope="col">Made</th>
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {versions.toReversed().map((version) => (
                <tr key={version.id}>
                  <th scope="row">
                    <Link to={versionPath(template, version)} className="strong">
                      {version.name}
                    </Link>
                    {version.id === active && <span className="tag tag-good">active</span>}
                  </th>
                  <td>
                    <Badge {...jobLook(version.job.status)} />
                  </td>
                  <td>{version.message}</td>
                  <td>
                    <Ago time={version.created_at} />
                    <div className="muted small">{version.created_by.username}</div>
                  </td>
                  <td className="row-actions">
                    {mayEdit.data?.["edit"] === true &&
                      version.id !== active &&
                      version.job.status === "succeeded" && (
                        <button type="button" className="button" onClick={() => void promote(version)}>
                          Make active
                        </button>
                      )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Loaded>
  );
}
