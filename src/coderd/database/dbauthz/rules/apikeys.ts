import type { apikeysQueries } from "../../gen/apikeys.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { apiKey, ownedBy, prebuildsUserId } from "../kinds.ts";
import { arg, choose, filter, internal, type Load, parent, row, system } from "../rule.ts";

type Facts = { readonly id: string; readonly userId: string };

const keyById: Load<{ readonly id: string }, Facts> = async ({ store, signal }, { id }) =>
  (await store.getApiKeyFacts({ id }, { signal })) ?? undefined;

const create = arg("create", ownedBy("api_key"));
const never = internal("the owner of prebuilt workspaces never signs in");

export const apikeysRules = {
  getAuthentication: system("read", "who calls is not known before"),
  getUserAuthorization: system("read", "makes the subject of somebody who does not call"),
  getApiKeyById: row("read", apiKey),
  insertApiKey: choose("api_key:create", ({ userId }: { readonly userId: string }) =>
    userId === prebuildsUserId ? never : create,
  ),
  updateApiKeyUse: parent("update", apiKey, keyById),
  deleteApiKeyById: parent("delete", apiKey, keyById),
  getKeyByName: row("read", apiKey),
  getTokens: filter(),
  expireKey: parent("update", apiKey, keyById),
  deleteKeysOfUser: arg("delete", ownedBy("api_key")),
  deleteSessionsOfUser: arg("delete", ownedBy("api_key")),
  deleteAppKeysOfUser: arg("delete", ownedBy("api_key")),
  updateKeysUse: system("update", "what requests have gathered"),
} satisfies RulesOf<typeof apikeysQueries>;
