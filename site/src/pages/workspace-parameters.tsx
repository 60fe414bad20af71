/** A workspace's parameters, to be changed: it starts (or restarts) with the new values, on the active version. */
import { contract } from "#codersdk/contract.ts";
import type { WorkspaceBuildParameter } from "#codersdk/workspacebuilds.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import { useApp, useQuery } from "../api/app-context.ts";
import { useParameterForm } from "../api/parameters.ts";
import { useWorkspace } from "../api/streams.ts";
import { act } from "../api/workspace-actions.ts";
import { FormError, useSubmit } from "../components/form.tsx";
import { Page } from "../components/page.tsx";
import { Diagnostics, ParameterFields } from "../components/parameter-fields.tsx";
import { Empty, ErrorState, Loaded, Loading } from "../components/states.tsx";
import { isBusy } from "../components/status.tsx";
import { Link, type RouteProps, useRouter } from "../lib/router.tsx";

export function WorkspaceParametersPage({ params }: RouteProps) {
  const { user = "", workspace: name = "" } = params;
  const query = useWorkspace(user, name);
  return (
    <Page
      title={`Parameters of ${name}`}
      heading="Parameters"
      narrow
      crumbs={[
        { label: "Workspaces", to: "/workspaces" },
        { label: name, to: `/@${user}/${name}` },
      ]}
    >
      <Loaded query={query}>{(workspace) => <Values workspace={workspace} />}</Loaded>
    </Page>
  );
}

function Values({ workspace }: { readonly workspace: Workspace }) {
  const buildId = workspace.latest_build.id;
  const query = useQuery(`workspace-build/${buildId}/parameters`, (client, signal) =>
    client.call(contract.workspacebuilds.parameters, { params: { workspacebuild: buildId }, signal }),
  );
  return (
    <Loaded query={query}>
      {(values) => <Form key={workspace.template_active_version_id} workspace={workspace} values={values} />}
    </Loaded>
  );
}

interface FormProps {
  readonly workspace: Workspace;
  readonly values: readonly WorkspaceBuildParameter[];
}

function Form({ workspace, values }: FormProps) {
  const { client, clock, cache, toasts } = useApp();
  const router = useRouter();
  const { latest_build: build } = workspace;
  const form = useParameterForm({
    versionId: workspace.template_active_version_id,
    classic: workspace.template_use_classic_parameter_flow,
    initial: Object.fromEntries(values.map(({ name, value }) => [name, value])),
  });
  const running = build.transition === "start";
  const submit = useSubmit(async () => {
    const changeable = new Set(form.parameters?.filter(({ mutable }) => mutable).map(({ name }) => name));
    const known = new Set(values.map(({ name }) => name));
    // What cannot be changed is sent only when the workspace has no value for it yet.
    const parameters = form.chosen().filter(({ name }) => changeable.has(name) || !known.has(name));
    const { signal } = new AbortController();
    const done = act({ client, clock, signal, parameters }, workspace, "update").finally(() =>
      cache.refresh("workspace"),
    );
    if (!running) return done.then(() => router.go(`/@${workspace.owner_name}/${workspace.name}`));
    // It goes on when the page is left: stopping takes its time.
    done.catch((error: unknown) => toasts.fail(error));
    router.go(`/@${workspace.owner_name}/${workspace.name}`);
  });
  const broken = form.diagnostics.some(({ severity }) => severity === "error");
  if (form.error !== undefined) return <ErrorState error={form.error} />;
  if (form.parameters === undefined) return <Loading label="Loading parameters…" />;
  if (form.parameters.length === 0) {
    return <Empty title="This template has no parameters" />;
  }
  return (
    <form className="panel panel-body form" onSubmit={submit.onSubmit}>
      <Diagnostics diagnostics={form.diagnostics} />
      <ParameterFields form={form} onlyMutable={values.length > 0} />
      {running && (
        <p className="muted">The workspace restarts with these values. Programs that run in it end.</p>
      )}
      <FormError error={submit.error} />
      <div className="form-buttons">
        <button
          type="submit"
          className="button button-primary"
          disabled={submit.busy || broken || isBusy(build.status)}
        >
          {running ? "Save and restart" : "Save and start"}
        </button>
        <Link to={`/@${workspace.owner_name}/${workspace.name}`} className="button">
          Cancel
        </Link>
      </div>
    </form>
  );
}
