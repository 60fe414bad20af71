/** API tokens: made, shown once, deleted. */
import { useState } from "react";
import type { ApiKeyWithOwner } from "#codersdk/apikeys.ts";
import { contract } from "#codersdk/contract.ts";
import { useApp, useQuery } from "../api/app-context.ts";
import { Copy } from "../components/copy.tsx";
import { Confirm, Dialog } from "../components/dialog.tsx";
import { Field, FormError, TextField, useSubmit } from "../components/form.tsx";
import { Icon } from "../components/icon.tsx";
import { Settings } from "../components/settings.tsx";
import { Empty, Loaded } from "../components/states.tsx";
import { Ago } from "../components/time.tsx";

/** Each build makes one for its workspace and ends that of the build before; nobody manages those by hand. */
const ofBuild = /^[0-9a-f-]{36}_[0-9a-f-]{36}_session_token$/;

export function TokensPage() {
  const { client, toasts } = useApp();
  const [making, setMaking] = useState(false);
  const [deleting, setDeleting] = useState<ApiKeyWithOwner>();
  const query = useQuery("tokens", (api, signal) =>
    api.call(contract.apikeys.tokens, { params: { user: "me" }, signal }),
  );
  return (
    <Settings
      title="Tokens"
      actions={
        <button type="button" className="button button-primary" onClick={() => setMaking(true)}>
          <Icon name="plus" /> New token
        </button>
      }
    >
      <p className="muted gap-below">
        Programs use a token to act as you. Whoever has one can do what you can.
      </p>
      <Loaded query={query}>
        {(tokens) => {
          const own = tokens.filter(({ token_name: name }) => !ofBuild.test(name));
          return own.length === 0 ? (
            <Empty title="You have no tokens" />
          ) : (
            <Table tokens={own} onDelete={setDeleting} />
          );
        }}
      </Loaded>
      {making && (
        <NewToken
          onClose={() => {
            setMaking(false);
            query.refresh();
          }}
        />
      )}
      {deleting && (
        <Confirm
          title={`Delete ${deleting.token_name}?`}
          verb="Delete"
          danger
          onClose={() => setDeleting(undefined)}
          onConfirm={async () => {
            await client.call(contract.apikeys.delete, { params: { user: "me", keyid: deleting.id } });
            toasts.show(`The token ${deleting.token_name} is deleted.`);
            query.refresh();
          }}
        >
          <p>Programs that use it are refused at once.</p>
        </Confirm>
      )}
    </Settings>
  );
}

interface TableProps {
  readonly tokens: readonly ApiKeyWithOwner[];
  readonly onDelete: (token: ApiKeyWithOwner) => void;
}

function Table({ tokens, onDelete }: TableProps) {
  return (
    <div className="table-wrap">
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Scope</th>
            <th scope="col">Last used</th>
            <th scope="col">Ends</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <tr key={token.id}>
              <th scope="row">
                <span className="strong">{token.token_name}</span>
                <div className="muted small mono key-id">{token.id}</div>
              </th>
              <td>{token.scopes.join(", ")}</td>
              <td>{token.last_used.getTime() > 0 ? <Ago time={token.last_used} /> : "never"}</td>
              <td>
                <Ago time={token.expires_at} />
              </td>
              <td className="row-actions">
                <button
                  type="button"
                  className="icon-button"
                  aria-label={`Delete ${token.token_name}`}
                  title="Delete"
                  onClick={() => onDelete(token)}
                >
                  <Icon name="trash" />
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const lifetimes = [7, 30, 90, 365] as const;
const dayNs = 86_400_000_000_000;

function NewToken({ onClose }: { readonly onClose: () => void }) {
  const { client } = useApp();
  const [name, setName] = useState("");
  const [days, setDays] = useState(30);
  const [key, setKey] = useState<string>();
  const longest = useQuery("token-config", (api, signal) =>
    api.call(contract.apikeys.tokenConfig, { params: { user: "me" }, signal }),
  );
  const mostDays = Math.floor((longest.data?.max_token_lifetime ?? Infinity) / dayNs);
  const form = useSubmit(async () => {
    const made = await client.call(contract.apikeys.createToken, {
      params: { user: "me" },
      body: { token_name: name, lifetime: Math.min(days, mostDays) * dayNs },
    });
    setKey(made.key);
  });
  if (key !== undefined) {
    return (
      <Dialog title="Your new token" onClose={onClose}>
        <p>Keep it now: it is not shown again.</p>
        <p className="gap-above">
          <Copy text={key} label="the token" />
        </p>
        <div className="dialog-buttons">
          <button type="button" className="button button-primary" onClick={onClose}>
            Done
          </button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title="New token" onClose={onClose}>
      <form onSubmit={form.onSubmit}>
        <TextField
          label="Name"
          required
          autoFocus
          autoComplete="off"
          value={name}
          onValue={setName}
          error={form.fieldError("name") ?? form.fieldError("token_name")}
        />
        <Field label="Works for">
          {(control) => (
            <select {...control} value={days} onChange={(event) => setDays(Number(event.target.value))}>
              {lifetimes
                .filter((some) => some <= mostDays)
                .map((some) => (
                  <option key={some} value={some}>
                    {some} days
                  </option>
                ))}
            </select>
          )}
        </Field>
        <FormError error={form.error} />
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={form.busy}>
            Make token
          </button>
        </div>
      </form>
    </Dialog>
  );
}
