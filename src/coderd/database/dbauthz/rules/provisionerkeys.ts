import type { provisionerkeysQueries } from "../../gen/provisionerkeys.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { inOrganization, provisionerDaemon } from "../kinds.ts";
import { arg, filter, type Load, parent, row, system } from "../rule.ts";

type Facts = { readonly id: string; readonly organizationId: string };

const keyById: Load<{ readonly id: string }, Facts> = ({ store, signal }, { id }) =>
  store.getProvisionerKeyById({ id }, { signal });

export const provisionerkeysRules = {
  insertProvisionerKey: arg("create", inOrganization("provisioner_daemon")),
  getProvisionerKeyByHash: system("read", "who calls is not known before"),
  getProvisionerKeyByName: row("read", provisionerDaemon),
  getProvisionerKeyById: row("read", provisionerDaemon),
  getOrganizationProvisionerKeys: filter(),
  deleteProvisionerKeyById: parent("delete", provisionerDaemon, keyById),
} satisfies RulesOf<typeof provisionerkeysQueries>;
