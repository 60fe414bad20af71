import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { referencePath } from "#testutil/testutil.ts";
import { allows, compileAccess, compileRole, type ResourceObject } from "./access.ts";
import { actors } from "./actors.ts";
import { compileFilter } from "./filter.ts";
import { referenceAllows } from "./oracle.ts";
import { grant, type Permission, type Role, siteRole } from "./permission.ts";
import { actions, actionsOf, isResourceType, resourceActions, resourceTypes } from "./policy.ts";
import { builtInOrgRole, builtInSiteRoles, orgRoleNames, siteRoleNames, systemRole } from "./roles.ts";
import { newRoleTable, parseRoleName, type SubjectFacts } from "./roletable.ts";
import {
  intersectAllow,
  lowLevelScopes,
  normalizeAllow,
  parseAllowEntry,
  requestableScopes,
  type Scope,
  scopeAll,
  tokenScope,
} from "./scopes.ts";
import { can, type Subject } from "./subject.ts";

const [orgA, orgB, orgC] = [1, 2, 3].map((n) => `0000000${n}-0000-4000-8000-000000000000`) as [
  string,
  string,
  string,
];
const me = "99999999-0000-4000-8000-000000000000";

const subject = (facts: Partial<SubjectFacts>): Subject =>
  newRoleTable().subject({
    id: me,
    type: "user",
    friendlyName: "me",
    roles: [],
    groups: [],
    scopes: ["coder:all"],
    scope: scopeAll,
    ...facts,
  });

describe("built-in facts", () => {
  const expand = (list: readonly (Permission | string)[]): string[] => {
    const out = new Set<string>();
    for (const one of list) {
      const [bang, type, action] =
        typeof one === "string"
          ? [one.startsWith("!") ? "!" : "", ...one.replace("!", "").split(":")]
          : [one.negate ? "!" : "", one.type, one.action];
      const all =
        action === "*" && type !== undefined && isResourceType(type) ? actionsOf(type) : [action ?? ""];
      for (const each of all) out.add(`${bang}${type}:${each}`);
    }
    return [...out].toSorted();
  };

  interface RecordedRole {
    readonly name: string;
    readonly display_name: string;
    readonly site: string[];
    readonly user: string[];
    readonly org: string[];
    readonly member: string[];
  }

  it("equal the recorded ones: types, roles, system roles, scopes", (t) => {
    const path = referencePath(t, "rbac-roles.json");
    if (!path) return;
    const facts = JSON.parse(readFileSync(path, "utf8"));
    delete facts.resources["*"];
    const sorted = Object.fromEntries(
      Object.entries(resourceActions).map(([type, list]) => [type, [...list].toSorted()]),
    );
    assert.deepEqual(sorted, facts.resources);
    assert.deepEqual(actions, facts.actions);
    const site = builtInSiteRoles();
    for (const role of facts.site_roles as RecordedRole[]) {
      const name = siteRoleNames.find((one) => one === role.name);
      assert.ok(name, role.name);
      assert.equal(site[name].displayName, role.display_name);
      assert.deepEqual(expand(site[name].site), expand(role.site), role.name);
      assert.deepEqual(expand(site[name].user), expand(role.user), role.name);
    }
    for (const role of facts.org_roles as RecordedRole[]) {
      const name = orgRoleNames.find((one) => one === role.name);
      assert.ok(name, role.name);
      const ours = builtInOrgRole(name, orgA);
      assert.deepEqual(expand(ours.site), expand(role.site), role.name);
      assert.deepEqual(expand(ours.byOrg.get(orgA)?.org ?? []), expand(role.org), role.name);
      assert.deepEqual(expand(ours.byOrg.get(orgA)?.member ?? []), expand(role.member), role.name);
    }
    for (const name of ["organization-member", "organization-service-account"] as const) {
      for (const mode of ["everyone", "service_accounts", "none"] as const) {
        const lists = systemRole(name, orgA, mode).byOrg.get(orgA);
        assert.deepEqual(
          expand(lists?.org ?? []),
          expand(facts.system_roles[name][mode].org),
          `${name} ${mode}`,
        );
        assert.deepEqual(
          expand(lists?.member ?? []),
          expand(facts.system_roles[name][mode].member),
          `${name} ${mode}`,
        );
      }
    }
    for (const [name, scope] of Object.entries(facts.scopes as Record<string, { site: string[] }>)) {
      assert.deepEqual(expand(tokenScope([name]).site), expand(scope.site), name);
    }
    assert.deepEqual([...lowLevelScopes].toSorted(), (facts.low_level_scopes as string[]).toSorted());
    assert.deepEqual(requestableScopes, facts.external_scopes);
  });

  it("only an owner enters the workspaces of others", () => {
    const workspace = { type: "workspace", id: orgC, owner: orgB, org: orgA };
    const holders = ["owner", "auditor", "template-admin", "user-admin", `organization-admin:${orgA}`];
    assert.deepEqual(
      holders.filter((role) => can(subject({ roles: [role] }), "ssh", workspace)),
      ["owner"],
    );
  });
});

describe("allows() against the reference", () => {
  const types = ["workspace", "template", "user", "organization_member", "nonesuch", "*"];
  const verbs = ["read", "create", "ssh", "nonesuch"];
  const orgs = [orgA, orgB, orgC];
  const permission = fc.record({
    negate: fc.boolean(),
    type: fc.constantFrom("workspace", "template", "user", "*"),
    action: fc.constantFrom("read", "create", "ssh", "*"),
  });
  const list = fc.array(permission, { maxLength: 3 });
  const byOrg = fc
    .array(fc.tuple(fc.constantFrom(...orgs), fc.record({ org: list, member: list })), { maxLength: 3 })
    .map((entries) => new Map(entries));
  const role: fc.Arbitrary<Role> = fc.record({
    name: fc.constant("r"),
    displayName: fc.constant(""),
    site: list,
    user: list,
    byOrg,
  });
  const allow = fc.array(
    fc.record({ type: fc.constantFrom("*", "workspace", "template"), id: fc.constantFrom("*", orgA, orgB) }),
    { maxLength: 3 },
  );
  const scope: fc.Arbitrary<Scope> = fc.oneof(
    fc.constant(scopeAll),
    fc.record({ site: list, user: list, byOrg, allow }),
  );
  const acl = fc.dictionary(
    fc.constantFrom(me, orgA, orgB, "g1"),
    fc.array(fc.constantFrom("read", "ssh", "*"), { maxLength: 2 }),
  );
  const object: fc.Arbitrary<ResourceObject> = fc
    .record({
      type: fc.constantFrom(...types),
      id: fc.constantFrom(undefined, orgA, orgB),
      owner: fc.constantFrom(undefined, "", me, orgB),
      org: fc.constantFrom(undefined, "", ...orgs),
      anyOrg: fc.boolean(),
      userAcl: fc.option(acl, { nil: undefined }),
      groupAcl: fc.option(acl, { nil: undefined }),
    })
    .map((one) => (one.anyOrg ? { ...one, org: undefined } : one));
  const facts = fc.record({
    roles: fc.array(role, { maxLength: 3 }),
    groups: fc.constantFrom([], ["g1"]),
    scope,
  });

  const decide = (
    given: { roles: Role[]; groups: readonly string[]; scope: Scope },
    action: string,
    one: ResourceObject,
  ): boolean =>
    allows(compileAccess({ subjectId: me, ...given, roles: given.roles.map(compileRole) }), action, one);

  it("is equal everywhere", () => {
    fc.assert(
      fc.property(facts, fc.constantFrom(...verbs), object, (given, action, one) => {
        assert.equal(decide(given, action, one), referenceAllows({ id: me, ...given }, action, one));
      }),
      { numRuns: 4000 },
    );
  });

  it("a further denial never grants, a further allowance never revokes, order does not matter", () => {
    fc.assert(
      fc.property(facts, fc.constantFrom(...verbs), object, permission, (given, action, one, more) => {
        const before = decide(given, action, one);
        const after = decide(
          { ...given, roles: [...given.roles, siteRole("more", "", [more])] },
          action,
          one,
        );
        assert.ok(more.negate ? !after || before : after || !before);
        assert.equal(decide({ ...given, roles: given.roles.toReversed() }, action, one), before);
      }),
    );
  });

  it("a narrower scope never grants", () => {
    fc.assert(
      fc.property(facts, fc.constantFrom(...verbs), object, (given, action, one) => {
        if (decide(given, action, one)) assert.ok(decide({ ...given, scope: scopeAll }, action, one));
      }),
    );
  });
});

describe("what no recording covers", () => {
  it("any organization together with one is a mistake of the program", () => {
    assert.throws(
      () => can(subject({ roles: ["owner"] }), "read", { type: "template", anyOrg: true, org: orgA }),
      /any/,
    );
  });

  it("names that are found nowhere count as nothing", () => {
    assert.equal(
      can(subject({ roles: ["gone", `gone:${orgA}`] }), "read", { type: "template", org: orgA }),
      false,
    );
  });

  it("a role table of another deployment's switches is another table", () => {
    const table = newRoleTable({ noOwnerWorkspaceExec: true });
    const owner = table.subject({
      id: me,
      type: "user",
      friendlyName: "",
      roles: ["owner"],
      groups: [],
      scopes: [],
      scope: scopeAll,
    });
    assert.equal(can(owner, "ssh", { type: "workspace", owner: orgB, org: orgA }), false);
  });

  it("equal custom names in two organizations are two roles", () => {
    const stored = (organizationId: string, list: Permission[]) => ({
      name: "x",
      displayName: "",
      organizationId,
      site: [],
      user: [],
      org: list,
      member: [],
    });
    const one = subject({
      roles: [`x:${orgA}`, `x:${orgB}`],
      stored: [stored(orgA, grant({ template: "read" })), stored(orgB, [])],
    });
    assert.deepEqual(
      [orgA, orgB].map((org) => can(one, "read", { type: "template", org })),
      [true, false],
    );
  });

  it("an empty list of a role is a membership: a group grants", () => {
    const stored = [
      { name: "x", displayName: "", organizationId: orgA, site: [], user: [], org: [], member: [] },
    ];
    const one = subject({ roles: [`x:${orgA}`], stored });
    assert.equal(can(one, "use", { type: "template", org: orgA, groupAcl: { [orgA]: ["use"] } }), true);
    assert.equal(can(one, "use", { type: "template", org: orgB, groupAcl: { [orgB]: ["use"] } }), false);
  });

  it("nobody may do nothing; the system reads all", () => {
    for (const type of resourceTypes) {
      assert.equal(can(actors.nobody, "read", { type, org: orgA, owner: me }), false);
      assert.equal(can(actors.system, "read", { type, org: orgA, owner: me }), true);
    }
  });

  it("refuses role names and allow lists of another form", () => {
    for (const bad of ["", "a:b", `a:${orgA}:c`]) assert.throws(() => parseRoleName(bad), /received/);
    for (const bad of ["workspace", "workspace:x", "nope:*", `a:${orgA}:c`]) {
      assert.throws(() => parseAllowEntry(bad), /received/);
    }
    assert.throws(() => tokenScope(["*:read"]), /no scope/);
    assert.throws(() => tokenScope(["workspace:fly"]), /no scope/);
  });

  it("allow lists: wildcards shadow, pairs meet at the narrower side, twice is once", () => {
    const text = (list: readonly { type: string; id: string }[]): string[] =>
      list.map(({ type, id }) => `${type}:${id}`);
    assert.deepEqual(
      text(
        normalizeAllow([
          { type: "task", id: orgB },
          { type: "task", id: "*" },
          { type: "file", id: orgA },
        ]),
      ),
      [`file:${orgA}`, "task:*"],
    );
    assert.deepEqual(text(intersectAllow([{ type: "*", id: orgA }], [{ type: "task", id: "*" }])), [
      `task:${orgA}`,
    ]);
    assert.deepEqual(intersectAllow([{ type: "task", id: "*" }], []), []);
  });
});

describe("compileFilter()", () => {
  const columns = {
    id: "w.id",
    owner: "w.owner_id",
    org: "w.organization_id",
    userAcl: (id: string) => `w.user_acl->${id}`,
  };

  it("adds nothing for who may read all, and asks nothing for who may read none", () => {
    assert.equal(compileFilter(subject({ roles: ["owner"] }).access, "read", "workspace", columns), true);
    assert.equal(
      compileFilter(actors.nobody.access, "read", "workspace", { id: "w.id", org: "w.organization_id" }),
      false,
    );
  });

  it("numbers only the parameters that are left", () => {
    const filter = compileFilter(
      subject({ roles: [`organization-member:${orgA}`] }).access,
      "read",
      "workspace",
      columns,
    );
    assert.ok(typeof filter !== "boolean");
    for (let at = 1; at <= filter.values.length; at++) {
      assert.ok(filter.text.includes(`$${at}::`), filter.text);
    }
    assert.ok(!filter.text.includes(`$${filter.values.length + 1}::`));
  });
});
