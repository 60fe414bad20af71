import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newRoleTable } from "../../rbac/roletable.ts";
import { can } from "../../rbac/subject.ts";
import { limitsOfKey, subjectOf, type UserFacts } from "./subjects.ts";

const org = "6b1f3a52-4c1b-4d0e-9f55-0d7a3c1c0001";
const id = "6b1f3a52-4c1b-4d0e-9f55-0d7a3c1c0002";
const group = "6b1f3a52-4c1b-4d0e-9f55-0d7a3c1c0003";
const facts: UserFacts = {
  user: { id, username: "ada", rbacRoles: [], isServiceAccount: false },
  memberships: [{ organization_id: org, roles: [], sharing: "everyone" }],
  groups: [group, org],
  customRoles: [],
};
const table = newRoleTable();
const foreign = { type: "workspace", org, owner: group } as const;

describe("subjectOf", () => {
  it("adds the implied roles and leaves Everyone out", () => {
    const subject = subjectOf(table, facts);
    assert.deepEqual(subject.roles, ["member", `organization-member:${org}`]);
    assert.deepEqual(subject.groups, [group]);
    assert.ok(can(subject, "update", { type: "workspace", org, owner: id }));
    assert.ok(!can(subject, "read", foreign));
  });

  it("a service account is implied another role", () => {
    const subject = subjectOf(table, { ...facts, user: { ...facts.user, isServiceAccount: true } });
    assert.deepEqual(subject.roles, ["member", `organization-service-account:${org}`]);
  });

  it("a changed custom role counts at once, a deleted one for nothing", () => {
    const member = {
      ...facts,
      memberships: [{ organization_id: org, roles: ["helper"], sharing: "everyone" as const }],
    };
    const helper = (action: string) => ({
      organization_id: org,
      name: "helper",
      site_permissions: [],
      user_permissions: [],
      member_permissions: [],
      org_permissions: [{ negate: false, resource_type: "workspace", action }],
    });
    assert.ok(can(subjectOf(table, { ...member, customRoles: [helper("read")] }), "read", foreign));
    assert.ok(!can(subjectOf(table, { ...member, customRoles: [helper("stop")] }), "read", foreign));
    assert.ok(!can(subjectOf(table, member), "read", foreign));
  });

  it("the organization's sharing mode takes the right to share", () => {
    const mine = { type: "workspace", org, owner: id } as const;
    const none = { ...facts, memberships: [{ organization_id: org, roles: [], sharing: "none" as const }] };
    assert.ok(can(subjectOf(table, facts), "share", mine));
    assert.ok(!can(subjectOf(table, none), "share", mine));
  });

  it("a key's scopes and allow list limit", () => {
    const mine = { type: "workspace", org, owner: id, id: group } as const;
    const limited = (allow: string) =>
      subjectOf(table, facts, limitsOfKey({ scopes: ["workspace:read"], allowList: [allow] }));
    assert.ok(can(limited("*:*"), "read", mine));
    assert.ok(!can(limited("*:*"), "update", mine));
    assert.ok(can(limited(`workspace:${group}`), "read", mine));
    assert.ok(!can(limited(`workspace:${org}`), "read", mine));
    assert.throws(() => limitsOfKey({ scopes: ["workspace:fly"], allowList: ["*:*"] }), /workspace:fly/);
    assert.throws(() => limitsOfKey({ scopes: ["coder:all"], allowList: ["workspace"] }), /type:id/);
  });
});
