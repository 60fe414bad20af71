/** What workspaces can be made from. */
import { contract } from "#codersdk/contract.ts";
import type { Template } from "#codersdk/templates.ts";
import { useQuery } from "../api/app-context.ts";
import { Page } from "../components/page.tsx";
import { Empty, Loaded } from "../components/states.tsx";
import { TemplateIcon } from "../components/template-icon.tsx";
import { Ago } from "../components/time.tsx";
import { duration, plural } from "../lib/format.ts";
import { Link } from "../lib/router.tsx";

export function TemplatesPage() {
  const query = useQuery("templates", (client, signal) => client.call(contract.templates.list, { signal }));
  return (
    <Page title="Templates">
      <Loaded query={query}>
        {(templates) =>
          templates.length === 0 ? (
            <Empty title="There are no templates yet">
              Somebody who may write templates pushes the first one: <code>coder templates push</code>
            </Empty>
          ) : (
            <Table templates={templates} />
          )
        }
      </Loaded>
    </Page>
  );
}

/** Addresses are short in the default organization. */
export const templatePath = ({ organization_name: org, name }: Template): string =>
  org === "default" || org === "coder" ? `/templates/${name}` : `/templates/${org}/${name}`;

function Table({ templates }: { readonly templates: readonly Template[] }) {
  return (
    <div className="table-wrap">
      <table>
        <thead>
          <tr>
            <th scope="col">Template</th>
            <th scope="col">Users</th>
            <th scope="col">Start takes</th>
            <th scope="col">Last change</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {templates.map((template) => (
            <Row key={template.id} template={template} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ template }: { readonly template: Template }) {
  const path = templatePath(template);
  const median = template.build_time_stats["start"]?.P50 ?? null;
  return (
    <tr>
      <th scope="row">
        <div className="with-icon">
          <TemplateIcon template={template} />
          <div>
            <Link to={path} className="strong">
              {template.display_name || template.name}
            </Link>
            {template.deprecated && <span className="tag">deprecated</span>}
            <div className="muted small">{template.description}</div>
          </div>
        </div>
      </th>
      <td>{template.active_user_count < 0 ? "–" : plural(template.active_user_count, "person", "people")}</td>
      <td>{median === null ? "–" : duration(median)}</td>
      <td>
        <Ago time={template.updated_at} />
        <div className="muted small">{template.created_by_name}</div>
      </td>
      <td className="row-actions">
        {!template.deprecated && (
          <Link
            to={`${path}/workspace`}
            className="button"
            aria-label={`New workspace from ${template.display_name || template.name}`}
          >
            New workspace
          </Link>
        )}
      </td>
    </tr>
  );
}
