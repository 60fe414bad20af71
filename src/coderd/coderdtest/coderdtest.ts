/**
 * A server for tests, in this process, on a database of its own; and people who use it.
 *
 *     const server = await newServer(t);
 *     const owner = await server.createFirstUser();
 *     const member = await server.createAnotherUser();
 *     await member.client.call(users.get, { params: { user: "me" } });
 */
import type { TestContext } from "node:test";
import { type Client, newClient } from "#codersdk/client.ts";
import { type CreateUser, users } from "#codersdk/users.ts";
import { discardLogger, type Logger } from "#slog/slog.ts";
import { uniqueName } from "#testutil/testutil.ts";
import type { Clock } from "#quartz/clock.ts";
import { type Coderd, type CoderdOptions, startCoderd } from "../coderd.ts";
import type { CoderdConfig } from "../config.ts";
import { echoDaemons } from "./builds.ts";
import { MemoryPubsub } from "../database/pubsub/memory-pubsub.ts";
import { newDb, type TestDb } from "../database/dbtestutil/dbtestutil.ts";

export const testPassword = "SomeSecurePassword!1";

export interface Person {
  readonly id: string;
  readonly username: string;
  readonly email: string;
  /** The organization that he was made in. */
  readonly organizationId: string;
  readonly token: string;
  readonly client: Client;
}

export interface TestServer {
  readonly coderd: Coderd;
  readonly url: string;
  readonly db: TestDb;
  /** Without a session. */
  readonly client: Client;
  /** An owner; once. */
  createFirstUser(): Promise<Person>;
  /** A member of the default organization, with these site roles. The first user must exist. */
  createAnotherUser(options?: Partial<CreateUser>): Promise<Person>;
  /** A new session of that account. */
  login(email: string, password?: string): Promise<Client>;
}

export interface TestServerOptions {
  readonly config?: Partial<CoderdConfig>;
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly db?: TestDb;
  readonly coderd?: Partial<CoderdOptions>;
  /** Built-in daemons for echo archives (builds.ts). */
  readonly echo?: boolean;
}

export async function newServer(t: TestContext, options: TestServerOptions = {}): Promise<TestServer> {
  const db = options.db ?? (await newDb(t));
  const coderd = await startCoderd({
    store: db.store,
    pubsub: new MemoryPubsub(discardLogger),
    listen: { host: "127.0.0.1", port: 0 },
    log: options.log ?? discardLogger,
    checkResponses: true,
    passwordRounds: 10,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    config: { limits: { api: -1, login: -1, files: -1, disabled: true }, ...options.config },
    ...(options.echo ? { builtin: await echoDaemons(t) } : {}),
    ...options.coderd,
  });
  t.after(() => coderd[Symbol.asyncDispose]());
  const client = newClient({ url: coderd.url });
  let owner: Person | undefined;

  async function session(email: string, password = testPassword): Promise<Client> {
    const { session_token: token } = await client.call(users.login, { body: { email, password } });
    return client.withToken(token);
  }

  return {
    coderd,
    url: coderd.url,
    db,
    client,
    login: session,
    async createFirstUser() {
      const username = uniqueName("owner");
      const email = `${username}@test.invalid`;
      const made = await client.call(users.createFirstUser, {
        body: { email, username, password: testPassword },
      });
      const signedIn = await session(email);
      owner = {
        id: made.user_id,
        username,
        email,
        organizationId: made.organization_id,
        token: signedIn.token ?? "",
        client: signedIn,
      };
      return owner;
    },
    async createAnotherUser(wanted = {}) {
      if (owner === undefined) throw new Error("createFirstUser comes first");
      const username = wanted.username ?? uniqueName("user");
      const email = wanted.email ?? `${username}@test.invalid`;
      const organizationId = wanted.organization_ids?.[0] ?? owner.organizationId;
      const made = await owner.client.call(users.create, {
        body: { email, username, password: testPassword, organization_ids: [organizationId], ...wanted },
      });
      const signedIn = await session(email);
      return { id: made.id, username, email, organizationId, token: signedIn.token ?? "", client: signedIn };
    },
  };
}
