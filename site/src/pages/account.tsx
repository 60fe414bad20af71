/** A person's own account: profile, password, SSH key, theme. */
import { useState } from "react";
import { contract } from "#codersdk/contract.ts";
import { useApp, useMe, useQuery } from "../api/app-context.ts";
import { CopyButton } from "../components/copy.tsx";
import { Confirm } from "../components/dialog.tsx";
import { FormError, TextField, useSubmit } from "../components/form.tsx";
import { Settings } from "../components/settings.tsx";
import { Loaded } from "../components/states.tsx";
import { Ago } from "../components/time.tsx";
import { useRouter } from "../lib/router.tsx";
import { useStore } from "../lib/store.ts";
import { type Theme, themes } from "../lib/theme.ts";

export function AccountPage() {
  const { client, session, toasts } = useApp();
  const me = useMe();
  const [username, setUsername] = useState(me.username);
  const [name, setName] = useState(me.name ?? "");
  const form = useSubmit(async () => {
    const user = await client.call(contract.users.updateProfile, {
      params: { user: "me" },
      body: { username, name: name.trim() },
    });
    session.set({ state: "signed-in", user });
    toasts.show("Your profile is saved.");
  });
  return (
    <Settings title="Account">
      <form className="panel panel-body form" onSubmit={form.onSubmit}>
        <TextField
          label="User name"
          help="It stands in the addresses and ssh names of your workspaces."
          required
          autoComplete="username"
          value={username}
          onValue={setUsername}
          error={form.fieldError("username")}
        />
        <TextField
          label="Name"
          autoComplete="name"
          maxLength={128}
          value={name}
          onValue={setName}
          error={form.fieldError("name")}
        />
        <TextField label="E-mail" value={me.email} onValue={() => {}} disabled />
        <FormError error={form.error} />
        <div className="form-buttons">
          <button type="submit" className="button button-primary" disabled={form.busy}>
            Save
          </button>
        </div>
      </form>
    </Settings>
  );
}

export function SecurityPage() {
  const { client, cache, session } = useApp();
  const me = useMe();
  const router = useRouter();
  const [old, setOld] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const differs = again !== "" && again !== password;
  const form = useSubmit(async () => {
    await client.call(contract.users.updatePassword, {
      params: { user: "me" },
      body: { old_password: old, password },
    });
    // It ends all sessions, this one too.
    await client.call(contract.users.login, { body: { email: me.email, password } }).then(
      () => router.go("/settings/security"),
      () => session.set({ state: "signed-out", expired: true }),
    );
    cache.clear();
    setOld("");
    setPassword("");
    setAgain("");
  });
  return (
    <Settings title="Security">
      {me.login_type !== "password" ? (
        <p className="notice notice-info">
          You sign in by {me.login_type}; there is no password to change here.
        </p>
      ) : (
        <form className="panel panel-body form" onSubmit={form.onSubmit}>
          <TextField
            label="Old password"
            type="password"
            autoComplete="current-password"
            required
            value={old}
            onValue={setOld}
            error={form.fieldError("old_password")}
          />
          <TextField
            label="New password"
            type="password"
            autoComplete="new-password"
            required
            help="It ends every other session and every token of yours."
            value={password}
            onValue={setPassword}
            error={form.fieldError("password")}
          />
          <TextField
            label="New password again"
            type="password"
            autoComplete="new-password"
            required
            value={again}
            onValue={setAgain}
            error={differs ? "The two differ." : undefined}
          />
          <FormError error={form.error} />
          <div className="form-buttons">
            <button
              type="submit"
              className="button button-primary"
              disabled={form.busy || differs || password === ""}
            >
              Change password
            </button>
          </div>
        </form>
      )}
    </Settings>
  );
}

export function SshKeyPage() {
  const { client, toasts } = useApp();
  const [asking, setAsking] = useState(false);
  const query = useQuery("ssh-key", (api, signal) =>
    api.call(contract.users.gitSshKey, { params: { user: "me" }, signal }),
  );
  return (
    <Settings title="SSH key">
      <p className="muted gap-below">
        Your workspaces sign in to Git servers with this key. Add its public half to your account there.
      </p>
      <Loaded query={query}>
        {(key) => (
          <div className="panel">
            <div className="panel-body">
              <pre className="key">{key.public_key.trim()}</pre>
              <p className="muted small">
                Made <Ago time={key.updated_at} />
              </p>
            </div>
            <div className="panel-foot">
              <CopyButton text={key.public_key.trim()} label="the public key" />
              <button type="button" className="button" onClick={() => setAsking(true)}>
                Replace
              </button>
            </div>
          </div>
        )}
      </Loaded>
      {asking && (
        <Confirm
          title="Replace the SSH key?"
          verb="Replace"
          danger
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            query.put(await client.call(contract.users.regenerateGitSshKey, { params: { user: "me" } }));
            toasts.show("You have a new key. Add it to your Git servers.");
          }}
        >
          <p>Git servers that know the old key refuse your workspaces until you add the new one there.</p>
        </Confirm>
      )}
    </Settings>
  );
}

const themeHelp: Readonly<Record<Theme, string>> = {
  system: "As your system says",
  light: "Light",
  dark: "Dark",
};

export function AppearancePage() {
  const { theme } = useApp();
  const chosen = useStore(theme);
  return (
    <Settings title="Appearance">
      <fieldset className="panel panel-body">
        <legend className="visually-hidden">Theme of this browser</legend>
        <div className="choices">
          {themes.map((name) => (
            <label key={name} className="choice">
              <input
                type="radio"
                name="appearance"
                checked={chosen === name}
                onChange={() => theme.choose(name)}
              />
              <span>{themeHelp[name]}</span>
            </label>
          ))}
        </div>
        <p className="help">Kept in this browser.</p>
      </fieldset>
    </Settings>
  );
}
