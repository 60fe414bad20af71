/** Buttons for what can be done with a workspace now; what destroys or interrupts asks first. */
import { useState } from "react";
import type { Workspace } from "#codersdk/workspaces.ts";
import { useApp } from "../api/app-context.ts";
import { act, type Action, possibleActions } from "../api/workspace-actions.ts";
import { Confirm } from "./dialog.tsx";
import { Icon, type IconName } from "./icon.tsx";

interface Look {
  readonly label: string;
  readonly icon: IconName;
  readonly doing: string;
}

const looks: Readonly<Record<Action, Look>> = {
  start: { label: "Start", icon: "play", doing: "is starting" },
  stop: { label: "Stop", icon: "stop", doing: "is stopping" },
  restart: { label: "Restart", icon: "restart", doing: "is restarting" },
  update: { label: "Update", icon: "update", doing: "is being updated" },
  delete: { label: "Delete", icon: "trash", doing: "is being deleted" },
  cancel: { label: "Cancel", icon: "close", doing: "is being cancelled" },
};

interface WorkspaceActionsProps {
  readonly workspace: Workspace;
  /** Icons only. */
  readonly compact?: boolean;
}

export function WorkspaceActions({ workspace, compact = false }: WorkspaceActionsProps) {
  const { client, clock, cache, toasts } = useApp();
  const [asking, setAsking] = useState<Action>();
  const [busy, setBusy] = useState(false);
  const run = async (action: Action): Promise<void> => {
    setBusy(true);
    toasts.show(`${workspace.name} ${looks[action].doing}.`);
    try {
      // Not tied to this component: a restart must go on to its start when one leaves the page.
      await act({ client, clock, signal: new AbortController().signal }, workspace, action);
    } finally {
      setBusy(false);
      cache.refresh("workspace");
    }
  };
  const choose = (action: Action): void => {
    if (action === "start" || (action === "update" && workspace.latest_build.status !== "running")) {
      run(action).catch((error: unknown) => toasts.fail(error));
    } else setAsking(action);
  };
  return (
    <>
      {possibleActions(workspace).map((action) => {
        const { label, icon } = looks[action];
        return (
          <button
            key={action}
            type="button"
            className={compact ? "icon-button" : "button"}
            disabled={busy}
            aria-label={compact ? `${label} ${workspace.name}` : undefined}
            title={compact ? label : undefined}
            onClick={() => choose(action)}
          >
            <Icon name={icon} />
            {!compact && label}
          </button>
        );
      })}
      {asking !== undefined && (
        <Question
          action={asking}
          workspace={workspace}
          onConfirm={async () => {
            const running = run(asking);
            // A restart takes as long as the stop; its failure is told when it comes.
            if (asking === "restart" || asking === "update") {
              running.catch((error: unknown) => toasts.fail(error));
            } else await running;
          }}
          onClose={() => setAsking(undefined)}
        />
      )}
    </>
  );
}

interface QuestionProps {
  readonly action: Action;
  readonly workspace: Workspace;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

function Question({ action, workspace, onConfirm, onClose }: QuestionProps) {
  const { name } = workspace;
  const shared = { onConfirm, onClose, verb: looks[action].label };
  switch (action) {
    case "delete":
      return (
        <Confirm {...shared} title={`Delete ${name}?`} danger typed={name}>
          <p>
            The workspace and everything in it that its template does not keep is destroyed. This cannot be
            undone.
          </p>
        </Confirm>
      );
    case "stop":
      return (
        <Confirm {...shared} title={`Stop ${name}?`}>
          <p>Programs that run in it end, and terminals and editors lose their connection.</p>
        </Confirm>
      );
    case "restart":
      return (
        <Confirm {...shared} title={`Restart ${name}?`}>
          <p>It stops and starts again. Programs that run in it end.</p>
        </Confirm>
      );
    case "update":
      return (
        <Confirm {...shared} title={`Update ${name}?`}>
          <p>It stops, and starts with the template&apos;s active version. Programs that run in it end.</p>
        </Confirm>
      );
    case "start":
      return (
        <Confirm {...shared} title={`Start ${name}?`}>
          <p>It starts with the same version and parameters as before.</p>
        </Confirm>
      );
    case "cancel":
      return (
        <Confirm {...shared} title={`Cancel the build of ${name}?`} verb="Cancel the build">
          <p>What the build has made so far stays; the next start or stop cleans it up.</p>
        </Confirm>
      );
  }
}
