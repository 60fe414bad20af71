/** A user's own settings: rows of key and value. What is absent, or unknown to this version, is the default. */
import type {
  UpdateUserAppearance,
  UpdateUserPreferences,
  UserAppearance,
  UserPreferences,
} from "#codersdk/usersettings.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { Invalid } from "../errors.ts";

const fonts = ["", "geist-mono", "ibm-plex-mono", "fira-code", "source-code-pro", "jetbrains-mono"];

const appearanceKeys = [
  "theme_preference",
  "theme_mode",
  "theme_light",
  "theme_dark",
  "terminal_font",
] as const satisfies readonly (keyof UserAppearance)[];

type Configs = ReadonlyMap<string, string>;
type Reads = Pick<AuthzStore, "getUserConfigs">;

async function read(store: Reads, ctx: Ctx, userId: string, keys: readonly string[]): Promise<Configs> {
  const rows = await store.getUserConfigs(ctx, { userId, keys: [...keys] });
  return new Map(rows.map(({ key, value }) => [key, value]));
}

export async function getAppearance(store: Reads, ctx: Ctx, userId: string): Promise<UserAppearance> {
  const has = await read(store, ctx, userId, appearanceKeys);
  const value = (key: keyof UserAppearance): string => has.get(key) ?? "";
  return {
    theme_preference: value("theme_preference"),
    theme_mode: value("theme_mode"),
    theme_light: value("theme_light"),
    theme_dark: value("theme_dark"),
    terminal_font: value("terminal_font"),
  };
}

/** `sync` writes both slots, `single` those that were given; an old client's `auto` theme ends a mode. */
export async function setAppearance(
  store: AuthzStore,
  ctx: Ctx,
  userId: string,
  wanted: UpdateUserAppearance,
): Promise<UserAppearance> {
  if (!fonts.includes(wanted.terminal_font)) throw new Invalid("Unsupported font family.");
  const changes = new Map<string, string>([
    ["theme_preference", wanted.theme_preference],
    ["terminal_font", wanted.terminal_font],
  ]);
  if (wanted.theme_mode !== "") {
    changes.set("theme_mode", wanted.theme_mode);
    if (wanted.theme_light !== "") changes.set("theme_light", wanted.theme_light);
    if (wanted.theme_dark !== "") changes.set("theme_dark", wanted.theme_dark);
  } else if (wanted.theme_preference.startsWith("auto")) {
    changes.set("theme_mode", "");
  }
  return await store.inTx(ctx, {}, async (tx) => {
    for (const [key, value] of changes) await tx.upsertUserConfig(ctx, { userId, key, value });
    return await getAppearance(tx, ctx, userId);
  });
}

const display = ["auto", "always_expanded", "always_collapsed"] as const;
/** The first of each is the default. */
const choices = {
  thinking_display_mode: ["auto", "preview", "always_expanded", "always_collapsed"],
  shell_tool_display_mode: display,
  code_diff_display_mode: display,
  agent_chat_send_shortcut: ["enter", "modifier_enter"],
} as const satisfies Partial<Record<keyof UserPreferences, readonly string[]>>;
const dismissed = "task_notification_alert_dismissed";
const choiceKeys = [
  "thinking_display_mode",
  "shell_tool_display_mode",
  "code_diff_display_mode",
  "agent_chat_send_shortcut",
] as const satisfies readonly (keyof typeof choices)[];

/** Rows are kept apart from other keys of the same table. */
const rowKey = (key: string): string => `preference_${key}`;

export async function getPreferences(store: Reads, ctx: Ctx, userId: string): Promise<UserPreferences> {
  const has = await read(store, ctx, userId, [dismissed, ...choiceKeys].map(rowKey));
  const value = (key: keyof typeof choices): string => {
    const stored = has.get(rowKey(key));
    return choices[key].find((one) => one === stored) ?? choices[key][0];
  };
  return {
    task_notification_alert_dismissed: has.get(rowKey(dismissed)) === "true",
    thinking_display_mode: value("thinking_display_mode"),
    shell_tool_display_mode: value("shell_tool_display_mode"),
    code_diff_display_mode: value("code_diff_display_mode"),
    agent_chat_send_shortcut: value("agent_chat_send_shortcut"),
  };
}

export async function setPreferences(
  store: AuthzStore,
  ctx: Ctx,
  userId: string,
  wanted: UpdateUserPreferences,
): Promise<UserPreferences> {
  const changes = new Map<string, string>();
  if (wanted.task_notification_alert_dismissed !== undefined) {
    changes.set(dismissed, String(wanted.task_notification_alert_dismissed));
  }
  for (const key of choiceKeys) {
    const value = wanted[key];
    if (!value) continue;
    if (!choices[key].some((one) => one === value)) {
      throw new Invalid(`Invalid ${key}: received ${JSON.stringify(value)}.`);
    }
    changes.set(key, value);
  }
  return await store.inTx(ctx, {}, async (tx) => {
    for (const [key, value] of changes) await tx.upsertUserConfig(ctx, { userId, key: rowKey(key), value });
    return await getPreferences(tx, ctx, userId);
  });
}
