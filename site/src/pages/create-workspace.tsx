/** A new workspace from a template: its name, a preset, the parameters. `?name=…&param.<name>=…` fills it in. */
import { useMemo, useState } from "react";
import type { Client } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import type { Template } from "#codersdk/templates.ts";
import type { Preset, TemplateVersionExternalAuth } from "#codersdk/templateversions.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import { useApp, useMe, useQuery } from "../api/app-context.ts";
import { useParameterForm } from "../api/parameters.ts";
import { Field, FormError, TextField, useSubmit } from "../components/form.tsx";
import { Page } from "../components/page.tsx";
import { Diagnostics, ParameterFields } from "../components/parameter-fields.tsx";
import { Empty, ErrorState, Loaded, Loading } from "../components/states.tsx";
import { Link, type RouteProps, useLocation, useRouter } from "../lib/router.tsx";

/** `org` is absent in short addresses: the default organization's. */
export const loadTemplate = (
  client: Client,
  org: string,
  name: string,
  signal: AbortSignal,
): Promise<Template> =>
  client.call(contract.templates.getByName, { params: { organization: org, templatename: name }, signal });

export function CreateWorkspacePage({ params }: RouteProps) {
  const { org = "default", template: name = "" } = params;
  const query = useQuery(`template/${org}/${name}`, (client, signal) =>
    loadTemplate(client, org, name, signal),
  );
  const label = query.data?.display_name || name;
  return (
    <Page
      title={`New workspace from ${label}`}
      heading="New workspace"
      narrow
      crumbs={[
        { label: "Templates", to: "/templates" },
        { label, to: `/templates/${name}` },
      ]}
    >
      <Loaded query={query}>{(template) => <Start template={template} />}</Loaded>
    </Page>
  );
}

function Start({ template }: { readonly template: Template }) {
  const { active_version_id: id } = template;
  const facts = useQuery(`template-version/${id}/to-create`, async (client, signal) => {
    const input = { params: { templateversion: id }, signal };
    const [presets, externalAuth] = await Promise.all([
      client.call(contract.templateversions.presets, input),
      client.call(contract.templateversions.externalAuth, input),
    ]);
    return { presets, externalAuth };
  });
  if (template.deprecated) {
    return (
      <Empty
        title="This template is deprecated"
        action={<Link to="/templates">Choose another template</Link>}
      >
        {template.deprecation_message}
      </Empty>
    );
  }
  return (
    <Loaded query={facts}>
      {({ presets, externalAuth }) => (
        <Form template={template} presets={presets} externalAuth={externalAuth} />
      )}
    </Loaded>
  );
}

interface FormProps {
  readonly template: Template;
  readonly presets: readonly Preset[];
  readonly externalAuth: readonly TemplateVersionExternalAuth[];
}

function Form({ template, presets, externalAuth }: FormProps) {
  const { client, cache } = useApp();
  const me = useMe();
  const router = useRouter();
  const { search } = useLocation();
  const given = useMemo(() => prefilled(search), [search]);
  const [name, setName] = useState(given.name);
  const standard = presets.find((preset) => preset.Default);
  const [presetId, setPresetId] = useState(standard?.ID ?? "");
  const form = useParameterForm({
    versionId: template.active_version_id,
    classic: template.use_classic_parameter_flow,
    initial: { ...valuesOf(standard), ...given.parameters },
  });
  const missing = externalAuth.filter(({ authenticated, optional }) => !authenticated && optional !== true);
  const submit = useSubmit(async () => {
    const made = await client.call(contract.workspaces.create, {
      params: { user: "me" },
      body: {
        template_id: template.id,
        template_version_id: zeroUuid,
        template_version_preset_id: presetId === "" ? zeroUuid : presetId,
        name,
        rich_parameter_values: form.chosen(),
      },
    });
    cache.refresh("workspace");
    router.go(`/@${me.username}/${made.name}`);
  });
  const broken = form.diagnostics.some(({ severity }) => severity === "error");
  if (form.error !== undefined) return <ErrorState error={form.error} />;
  return (
    <form className="panel panel-body form" onSubmit={submit.onSubmit}>
      <TextField
        label="Name"
        help="Letters, digits and dashes. You will type it: coder ssh <name>"
        required
        autoFocus
        maxLength={32}
        pattern="[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*"
        autoComplete="off"
        spellCheck={false}
        value={name}
        onValue={setName}
        error={submit.fieldError("name")}
      />
      {externalAuth.length > 0 && <SignIns all={externalAuth} />}
      {presets.length > 0 && (
        <PresetField
          presets={presets}
          chosen={presetId}
          onChoose={(preset) => {
            setPresetId(preset?.ID ?? "");
            form.setAll(valuesOf(preset));
          }}
        />
      )}
      <Diagnostics diagnostics={form.diagnostics} />
      {form.parameters === undefined ? (
        <Loading label="Loading parameters…" rows={2} />
      ) : (
        <ParameterFields form={form} />
      )}
      <FormError error={submit.error} />
      <div className="form-buttons">
        <button
          type="submit"
          className="button button-primary"
          disabled={submit.busy || broken || missing.length > 0 || form.parameters === undefined}
        >
          {submit.busy ? "Creating…" : "Create workspace"}
        </button>
        <Link to={`/templates/${template.name}`} className="button">
          Cancel
        </Link>
      </div>
    </form>
  );
}

const valuesOf = (preset: Preset | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries((preset?.Parameters ?? []).map(({ Name, Value }) => [Name, Value]));

interface Prefilled {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Pure. */
export function prefilled(search: string): Prefilled {
  const query = new URLSearchParams(search);
  const parameters: Record<string, string> = {};
  for (const [key, value] of query) {
    if (key.startsWith("param.")) parameters[key.slice("param.".length)] = value;
  }
  return { name: query.get("name") ?? "", parameters };
}

interface PresetFieldProps {
  readonly presets: readonly Preset[];
  readonly chosen: string;
  readonly onChoose: (preset: Preset | undefined) => void;
}

function PresetField({ presets, chosen, onChoose }: PresetFieldProps) {
  const described = presets.find(({ ID }) => ID === chosen)?.Description ?? "";
  return (
    <Field label="Preset" help={described === "" ? undefined : described}>
      {(control) => (
        <select
          {...control}
          value={chosen}
          onChange={(event) => onChoose(presets.find(({ ID }) => ID === event.target.value))}
        >
          <option value="">None</option>
          {presets.map(({ ID, Name }) => (
            <option key={ID} value={ID}>
              {Name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function SignIns({ all }: { readonly all: readonly TemplateVersionExternalAuth[] }) {
  return (
    <section className="field" aria-label="Sign-ins elsewhere">
      <div className="label">This template uses your accounts elsewhere</div>
      <ul className="plain">
        {all.map(({ id, display_name: name, authenticated, authenticate_url: url, optional }) => (
          <li key={id}>
            {authenticated ? (
              <>{name}: signed in</>
            ) : (
              <a href={url} target="_blank" rel="noreferrer">
                Sign in with {name}
              </a>
            )}
            {optional === true && <span className="hint">optional</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
