import type { provisionerdaemonsQueries } from "../../gen/provisionerdaemons.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { provisionerDaemon } from "../kinds.ts";
import { filter, row, system } from "../rule.ts";

const connected = system("update", "the server itself says who is connected", "provisioner_daemon");

export const provisionerdaemonsRules = {
  upsertProvisionerDaemon: connected,
  updateProvisionerDaemonLastSeen: connected,
  getProvisionerDaemonById: row("read", provisionerDaemon),
  getOrganizationDaemons: filter(),
} satisfies RulesOf<typeof provisionerdaemonsQueries>;
