/** Asks what the caller may do, without doing it. */
import { endpoint } from "./endpoint.ts";
import * as w from "./wire.ts";

export const AuthorizationCheck = w.struct("AuthorizationCheck", {
  object: w.struct("AuthorizationObject", {
    resource_type: w.string(),
    owner_id: w.omit(w.string()),
    organization_id: w.omit(w.string()),
    resource_id: w.omit(w.string()),
    any_org: w.omit(w.bool()),
  }),
  action: w.string(),
});
export type AuthorizationCheck = w.Infer<typeof AuthorizationCheck>;

export const authcheck = {
  check: endpoint({
    method: "POST",
    path: "/api/v2/authcheck",
    auth: "session",
    body: w.struct("AuthorizationRequest", { checks: w.map(AuthorizationCheck) }),
    responses: { 200: w.map(w.bool()) },
    summary: "Whether the caller may do each of some actions",
  }),
};
