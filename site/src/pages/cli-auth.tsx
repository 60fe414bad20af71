/** `coder login` sends people here for a session of its own. Only a click makes one. */
import { useState } from "react";
import { contract } from "#codersdk/contract.ts";
import { useApp, useMe } from "../api/app-context.ts";
import { Copy } from "../components/copy.tsx";
import { FormError, useSubmit } from "../components/form.tsx";
import { Page } from "../components/page.tsx";

export function CliAuthPage() {
  const { client } = useApp();
  const me = useMe();
  const [key, setKey] = useState<string>();
  const form = useSubmit(async () => {
    const made = await client.call(contract.apikeys.createKey, { params: { user: "me" } });
    setKey(made.key);
  });
  return (
    <Page title="Command line" narrow>
      <form className="panel panel-body form" onSubmit={form.onSubmit}>
        {key === undefined ? (
          <>
            <p>
              The command line asks for a session as <strong>{me.username}</strong>. Go on only if you have
              just run <code>coder login</code> yourself.
            </p>
            <FormError error={form.error} />
            <div className="form-buttons">
              <button type="submit" className="button button-primary" disabled={form.busy}>
                Show a session token
              </button>
            </div>
          </>
        ) : (
          <div role="status">
            <p className="gap-below">Paste this into the terminal that asks for it. It is shown once.</p>
            <Copy text={key} label="the session token" />
          </div>
        )}
      </form>
    </Page>
  );
}
