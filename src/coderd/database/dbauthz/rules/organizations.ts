import type { organizationsQueries } from "../../gen/organizations.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { customRole, organization, organizationMember } from "../kinds.ts";
import { arg, both, filter, row } from "../rule.ts";

export const organizationsRules = {
  getDefaultOrganization: row("read", organization),
  getOrganizationById: row("read", organization),
  getOrganizationByName: row("read", organization),
  getOrganizations: filter(),
  // A membership gives the implied role.
  insertOrganizationMember: both(arg("assign", customRole), arg("create", organizationMember)),
  getOrganizationsOfUser: filter(),
  getOrganizationMembers: filter(),
  countOrganizationMembers: filter(),
  // Which roles may be given or taken is asked in rolecheck.ts.
  updateOrganizationMemberRoles: arg("update", organizationMember),
  deleteOrganizationMember: arg("delete", organizationMember),
} satisfies RulesOf<typeof organizationsQueries>;
