import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientError } from "#codersdk/client.ts";
import { usersettings } from "#codersdk/usersettings.ts";
import { newServer } from "../coderdtest/coderdtest.ts";

const status = (code: number) => (error: unknown) => error instanceof ClientError && error.status === code;

test("appearance: defaults, what is written, sync needs both slots, strangers", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const [one, other] = await Promise.all([server.createAnotherUser(), server.createAnotherUser()]);
  const params = { user: "me" };
  const put = (body: Partial<Parameters<typeof full>[0]>) =>
    one.client.call(usersettings.updateAppearance, { params, body: full(body) });
  const empty = { theme_preference: "", theme_mode: "", theme_light: "", theme_dark: "", terminal_font: "" };
  assert.deepEqual(await one.client.call(usersettings.appearance, { params }), empty);
  await assert.rejects(put({ terminal_font: "comic" }), status(400));
  await assert.rejects(put({ theme_mode: "sync", theme_light: "light" }), status(400));
  await put({ theme_mode: "sync", theme_light: "light", theme_dark: "dark" });
  const kept = await put({ theme_preference: "light" });
  assert.deepEqual([kept.theme_mode, kept.theme_dark], ["sync", "dark"]);
  assert.equal((await put({ theme_preference: "auto" })).theme_mode, "");
  const his = { params: { user: one.username } };
  await assert.rejects(other.client.call(usersettings.appearance, his), status(404));
  assert.equal((await owner.client.call(usersettings.appearance, his)).theme_preference, "auto");
});

const full = (body: {
  theme_preference?: string;
  theme_mode?: string;
  theme_light?: string;
  theme_dark?: string;
  terminal_font?: string;
}) => ({
  theme_preference: "dark",
  theme_mode: "",
  theme_light: "",
  theme_dark: "",
  terminal_font: "fira-code",
  ...body,
});

test("preferences: merged; two writers at once; unknown values are refused, and read as the default", async (t) => {
  const server = await newServer(t);
  const { client, id } = await server.createFirstUser();
  const params = { user: "me" };
  const put = (body: Readonly<Record<string, string | boolean>>) =>
    client.call(usersettings.updatePreferences, {
      params,
      body: { task_notification_alert_dismissed: undefined, ...body },
    });
  await Promise.all([
    put({ thinking_display_mode: "preview" }),
    put({ agent_chat_send_shortcut: "modifier_enter", task_notification_alert_dismissed: true }),
  ]);
  await assert.rejects(put({ code_diff_display_mode: "sideways" }), status(400));
  await server.db.store.upsertUserConfig({
    userId: id,
    key: "preference_shell_tool_display_mode",
    value: "of another version",
  });
  assert.deepEqual(await client.call(usersettings.preferences, { params }), {
    task_notification_alert_dismissed: true,
    thinking_display_mode: "preview",
    shell_tool_display_mode: "auto",
    code_diff_display_mode: "auto",
    agent_chat_send_shortcut: "modifier_enter",
  });
});
