/** Keys: sessions of the command line, and API tokens. Their secret is shown once, when they are made. */
import { endpoint } from "./endpoint.ts";
import { LoginType } from "./users.ts";
import * as w from "./wire.ts";

const keyFields = {
  id: w.string("required"),
  user_id: w.uuid("required"),
  last_used: w.time("required"),
  expires_at: w.time("required"),
  created_at: w.time("required"),
  updated_at: w.time("required"),
  login_type: LoginType,
  /** The first of `scopes`, in its old spelling. */
  scope: w.string(),
  scopes: w.list(w.string()),
  token_name: w.string("required"),
  lifetime_seconds: w.int("required"),
  /** `<resource type>:<id>`, `*` for any. */
  allow_list: w.list(w.string()),
};

export const ApiKey = w.struct("APIKey", keyFields);
export type ApiKey = w.Infer<typeof ApiKey>;

export const ApiKeyWithOwner = w.struct("APIKeyWithOwner", { ...keyFields, username: w.string() });
export type ApiKeyWithOwner = w.Infer<typeof ApiKeyWithOwner>;

export const CreateToken = w.struct("CreateTokenRequest", {
  /** Nanoseconds; 0 is the deployment's default. */
  lifetime: w.durationNs(),
  scope: w.omit(w.string()),
  scopes: w.omit(w.list(w.string())),
  token_name: w.string(),
  allow_list: w.omit(w.list(w.string())),
});
export type CreateToken = w.Infer<typeof CreateToken>;

export const NewKey = w.struct("GenerateAPIKeyResponse", { key: w.string() });

export const TokenConfig = w.struct("TokenConfig", { max_token_lifetime: w.durationNs() });

export const ApiKeyScopes = w.struct("ExternalAPIKeyScopes", { external: w.list(w.string()) });

const keys = "/api/v2/users/{user}/keys";

export const apikeys = {
  scopes: endpoint({
    method: "GET",
    path: "/api/v2/auth/scopes",
    auth: "none",
    responses: { 200: ApiKeyScopes },
    summary: "Scopes that a token may have",
  }),
  createKey: endpoint({
    method: "POST",
    path: keys,
    auth: "session",
    responses: { 201: NewKey },
    audit: "create APIKey",
    summary: "Make a session key for the command line",
  }),
  get: endpoint({
    method: "GET",
    path: `${keys}/{keyid}`,
    auth: "session",
    responses: { 200: ApiKey },
    summary: "A key by its id",
  }),
  delete: endpoint({
    method: "DELETE",
    path: `${keys}/{keyid}`,
    auth: "session",
    responses: { 204: null },
    audit: "delete APIKey",
    summary: "Delete a key",
  }),
  expire: endpoint({
    method: "PUT",
    path: `${keys}/{keyid}/expire`,
    auth: "session",
    responses: { 204: null },
    audit: "write APIKey",
    summary: "End a key now and keep its record",
  }),
  tokens: endpoint({
    method: "GET",
    path: `${keys}/tokens`,
    auth: "session",
    query: { include_all: "bool", include_expired: "bool" },
    responses: { 200: w.nullList(ApiKeyWithOwner) },
    summary: "API tokens",
  }),
  createToken: endpoint({
    method: "POST",
    path: `${keys}/tokens`,
    auth: "session",
    body: CreateToken,
    responses: { 201: NewKey },
    audit: "create APIKey",
    summary: "Make an API token",
  }),
  tokenConfig: endpoint({
    method: "GET",
    path: `${keys}/tokens/tokenconfig`,
    auth: "session",
    responses: { 200: TokenConfig },
    summary: "Longest lifetime of the caller's tokens",
  }),
  token: endpoint({
    method: "GET",
    path: `${keys}/tokens/{keyname}`,
    auth: "session",
    responses: { 200: ApiKey },
    summary: "An API token by its name",
  }),
};
