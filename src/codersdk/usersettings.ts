/** A user's own settings of the dashboard: how it looks, what it shows. */
import { endpoint } from "./endpoint.ts";
import * as w from "./wire.ts";

const themes = "light light-protan-deuter light-tritan dark dark-protan-deuter dark-tritan";
const slot = `required_if=theme_mode sync,omitempty,oneof=${themes}`;

export const UserAppearance = w.struct("UserAppearanceSettings", {
  theme_preference: w.string(),
  /** `sync`: follows the browser between the two slots; `single`; or empty. */
  theme_mode: w.string(),
  theme_light: w.string(),
  theme_dark: w.string(),
  terminal_font: w.string(),
});
export type UserAppearance = w.Infer<typeof UserAppearance>;

export const UpdateUserAppearance = w.struct("UpdateUserAppearanceSettingsRequest", {
  theme_preference: w.string("required"),
  theme_mode: w.string("omitempty,oneof=sync single"),
  theme_light: w.string(slot),
  theme_dark: w.string(slot),
  terminal_font: w.string("required"),
});
export type UpdateUserAppearance = w.Infer<typeof UpdateUserAppearance>;

export const UserPreferences = w.struct("UserPreferenceSettings", {
  task_notification_alert_dismissed: w.bool(),
  thinking_display_mode: w.string(),
  shell_tool_display_mode: w.string(),
  code_diff_display_mode: w.string(),
  agent_chat_send_shortcut: w.string(),
});
export type UserPreferences = w.Infer<typeof UserPreferences>;

/** What is absent stays as it is. */
export const UpdateUserPreferences = w.struct("UpdateUserPreferenceSettingsRequest", {
  task_notification_alert_dismissed: w.ptr(w.bool()),
  thinking_display_mode: w.omit(w.string()),
  shell_tool_display_mode: w.omit(w.string()),
  code_diff_display_mode: w.omit(w.string()),
  agent_chat_send_shortcut: w.omit(w.string()),
});
export type UpdateUserPreferences = w.Infer<typeof UpdateUserPreferences>;

const user = "/api/v2/users/{user}";

export const usersettings = {
  appearance: endpoint({
    method: "GET",
    path: `${user}/appearance`,
    auth: "session",
    responses: { 200: UserAppearance },
    summary: "How the dashboard looks for a user",
  }),
  updateAppearance: endpoint({
    method: "PUT",
    path: `${user}/appearance`,
    auth: "session",
    body: UpdateUserAppearance,
    responses: { 200: UserAppearance },
    summary: "Change how the dashboard looks for a user",
  }),
  preferences: endpoint({
    method: "GET",
    path: `${user}/preferences`,
    auth: "session",
    responses: { 200: UserPreferences },
    summary: "What the dashboard shows to a user",
  }),
  updatePreferences: endpoint({
    method: "PUT",
    path: `${user}/preferences`,
    auth: "session",
    body: UpdateUserPreferences,
    responses: { 200: UserPreferences },
    summary: "Change what the dashboard shows to a user",
  }),
};
