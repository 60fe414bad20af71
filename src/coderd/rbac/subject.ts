/** Who acts: the facts about a caller that permission decisions are made of. */
export interface Subject {
  /** Zero uuid for nobody. */
  readonly id: string;
  readonly type: string;
  readonly friendlyName: string;
  /** Site roles (`owner`, `member` …) and organization roles (`organization-admin:<uuid>`). */
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  /** What the credential allows, by scope name; `all` does not limit. */
  readonly scopes: readonly string[];
}
