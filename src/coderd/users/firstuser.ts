/** The first user: an owner, made once, from this machine or with the set-up secret that the server printed. */
import { timingSafeEqual } from "node:crypto";
import type { CreateFirstUser } from "#codersdk/users.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { ApiError, Conflict, Forbidden, invalidField } from "../errors.ts";
import { sha256 } from "../httpmw/authenticate.ts";
import { actors } from "../rbac/actors.ts";
import type { PasswordHasher } from "../userpassword/hash.ts";
import { passwordProblem } from "../userpassword/policy.ts";
import { insertUser } from "./insert.ts";

export interface FirstUserDeps {
  readonly store: AuthzStore;
  readonly rand: Rand;
  readonly hasher: PasswordHasher;
  readonly setupSecret: string;
}

const isLoopback = (ip: string): boolean => ip === "::1" || ip.startsWith("127.");

/** Strangers must not take over a server that is not set up yet. */
export function checkSetup(deps: Pick<FirstUserDeps, "setupSecret">, ip: string, given: string): void {
  if (isLoopback(ip)) return;
  if (timingSafeEqual(sha256(given), sha256(deps.setupSecret))) return;
  throw new Forbidden("The first user is made from the server's own machine, or with the set-up secret.", {
    detail: "send the secret that the server printed at its start as header Coder-Setup-Secret",
  });
}

/** Throws 404, which tells clients to start the set-up. */
export async function hasFirstUser(deps: FirstUserDeps, ctx: Ctx): Promise<{ message: string }> {
  const asSystem = ctx.as(actors.system, "asks whether the first user exists");
  const { count } = await deps.store.getUserCount(asSystem, { includeSystem: false });
  if (count === 0) throw new ApiError(404, "NoFirstUser", "The initial user has not been created!");
  return { message: "The initial user has already been created!" };
}

export async function createFirstUser(deps: FirstUserDeps, ctx: Ctx, body: CreateFirstUser) {
  const problem = passwordProblem(body.password);
  if (problem !== undefined) throw invalidField("Password is not strong enough!", "password", problem);
  const hashed = await deps.hasher.hash(body.password);
  const asSystem = ctx.as(actors.system, "makes the first user");
  return deps.store.inTx(asSystem, {}, async (tx) => {
    // Two callers with different names would both count zero.
    await tx.lock("first-user");
    const { count } = await tx.getUserCount(asSystem, { includeSystem: false });
    if (count > 0) throw new Conflict("The initial user has already been created.");
    const organization = await tx.getDefaultOrganization(asSystem, {});
    const user = await insertUser(asSystem, tx, {
      id: deps.rand.uuid(),
      email: body.email,
      username: body.username,
      name: body.name ?? "",
      status: "active",
      loginType: "password",
      rbacRoles: ["owner"],
      hashedPassword: Buffer.from(hashed),
      isServiceAccount: false,
      organizationIds: [organization.id],
    });
    return { user_id: user.id, organization_id: organization.id };
  });
}
