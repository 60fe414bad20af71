import type { filesQueries } from "../../gen/files.gen.ts";
import type { RulesOf } from "../dbauthz.ts";
import { file, ownedBy, template } from "../kinds.ts";
import { arg, either, parent, type Call, permits, type Rule } from "../rule.ts";
import { NotAuthorized } from "../not-authorized.ts";

interface Id {
  readonly id: string;
}

/** Whoever may change a template may read what it was made of. */
const ofTemplate: Rule<Id, unknown> = {
  form: "parent",
  needs: "template:update of one that uses it",
  async before({ subject, store, signal }: Call, { id }) {
    const templates = await store.getTemplateFactsByFileId({ fileId: id }, { signal });
    if (!templates.some((facts) => permits(subject, "update", template, facts))) {
      throw new NotAuthorized(subject, "read", "file");
    }
  },
};

const creator = ({ createdBy }: { readonly createdBy: string }) => ({ userId: createdBy });

const readable = either(
  parent("read", file, ({ store, signal }, { id }: Id) => store.getFileFacts({ id }, { signal })),
  ofTemplate,
);

export const filesRules = {
  getFileIdByHash: arg("read", ownedBy("file"), creator),
  insertFile: arg("create", ownedBy("file"), creator),
  getFileById: readable,
  getFileInfo: readable,
} satisfies RulesOf<typeof filesQueries>;
