/** The rule of every query. A query without one does not compile here; `npm run gen` says which queries there are. */
import type { Rules } from "./dbauthz.ts";
import { agentapiRules } from "./rules/agentapi.ts";
import { apikeysRules } from "./rules/apikeys.ts";
import { auditlogsRules } from "./rules/auditlogs.ts";
import { authzRules } from "./rules/authz.ts";
import { connectionlogsRules } from "./rules/connectionlogs.ts";
import { cryptokeysRules } from "./rules/cryptokeys.ts";
import { dbpurgeRules } from "./rules/dbpurge.ts";
import { dynamicparametersRules } from "./rules/dynamicparameters.ts";
import { filesRules } from "./rules/files.ts";
import { authenticationRules } from "./rules/authentication.ts";
import { gitsshkeysRules } from "./rules/gitsshkeys.ts";
import { loginlinksRules } from "./rules/loginlinks.ts";
import { organizationsRules } from "./rules/organizations.ts";
import { provisionerdaemonsRules } from "./rules/provisionerdaemons.ts";
import { provisionerdserverRules } from "./rules/provisionerdserver.ts";
import { provisionerjobsRules } from "./rules/provisionerjobs.ts";
import { provisionerkeysRules } from "./rules/provisionerkeys.ts";
import { siteconfigsRules } from "./rules/siteconfigs.ts";
import { tailnetRules } from "./rules/tailnet.ts";
import { userconfigsRules } from "./rules/userconfigs.ts";
import { usersRules } from "./rules/users.ts";
import { presetsRules } from "./rules/presets.ts";
import { templatesRules } from "./rules/templates.ts";
import { templateversionsRules } from "./rules/templateversions.ts";
import { workspacesRules } from "./rules/workspaces.ts";
import { workspaceviewsRules } from "./rules/workspaceviews.ts";
import { workspacestatsRules } from "./rules/workspacestats.ts";
import { wsbuilderRules } from "./rules/wsbuilder.ts";
import { workspaceagentsRules } from "./rules/workspaceagents.ts";

export const rules = {
  ...agentapiRules,
  ...apikeysRules,
  ...auditlogsRules,
  ...authzRules,
  ...connectionlogsRules,
  ...cryptokeysRules,
  ...dbpurgeRules,
  ...dynamicparametersRules,
  ...filesRules,
  ...authenticationRules,
  ...gitsshkeysRules,
  ...loginlinksRules,
  ...organizationsRules,
  ...provisionerdaemonsRules,
  ...provisionerdserverRules,
  ...provisionerjobsRules,
  ...provisionerkeysRules,
  ...siteconfigsRules,
  ...tailnetRules,
  ...userconfigsRules,
  ...usersRules,
  ...presetsRules,
  ...templatesRules,
  ...templateversionsRules,
  ...workspacesRules,
  ...workspaceviewsRules,
  ...workspacestatsRules,
  ...wsbuilderRules,
  ...workspaceagentsRules,
} satisfies Rules;
