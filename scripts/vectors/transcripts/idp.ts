/** The loopback server that plays identity provider, OAuth2 provider and webhook sink (reference README). */
import { generateKeyPairSync, createSign } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { cryptoRand } from "#cryptorand/cryptorand.ts";

export interface Idp extends AsyncDisposable {
  readonly url: string;
  /** Merges keys into the current identity. */
  become(claims: Readonly<Record<string, unknown>>): void;
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

export async function startIdp(): Promise<Idp> {
  const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  let identity: Record<string, unknown> = {
    sub: "sub-1",
    email: "oidc@bench.test",
    email_verified: true,
    preferred_username: "oidcuser",
    name: "Oidc User",
    groups: ["g1"],
  };
  let nonce: string | undefined;
  let url = "";

  function idToken(): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: url,
      aud: "bench",
      iat: now,
      exp: now + 3600,
      ...(nonce ? { nonce } : {}),
      ...identity,
    };
    const text = `${base64url({ alg: "RS256", kid: "k1", typ: "JWT" })}.${base64url(claims)}`;
    return `${text}.${createSign("RSA-SHA256").update(text).sign(keys.privateKey).toString("base64url")}`;
  }

  async function answer(request: IncomingMessage): Promise<{ location: string } | Record<string, unknown>> {
    const at = new URL(request.url ?? "/", url);
    switch (at.pathname) {
      case "/.well-known/openid-configuration":
        return {
          issuer: url,
          authorization_endpoint: `${url}/authorize`,
          token_endpoint: `${url}/token`,
          userinfo_endpoint: `${url}/userinfo`,
          jwks_uri: `${url}/jwks`,
          id_token_signing_alg_values_supported: ["RS256"],
          code_challenge_methods_supported: ["S256"],
        };
      case "/jwks":
        return {
          keys: [{ ...keys.publicKey.export({ format: "jwk" }), kid: "k1", use: "sig", alg: "RS256" }],
        };
      case "/authorize": {
        nonce = at.searchParams.get("nonce") ?? undefined;
        const back = new URL(at.searchParams.get("redirect_uri") ?? url);
        back.searchParams.set("code", cryptoRand.bytes(8).toString("hex"));
        back.searchParams.set("state", at.searchParams.get("state") ?? "");
        return { location: back.href };
      }
      case "/token": {
        const form = new URLSearchParams(await text(request));
        if (form.get("grant_type")?.includes("device")) {
          return { access_token: "dev-at", refresh_token: "dev-rt", token_type: "Bearer", expires_in: 3600 };
        }
        return {
          access_token: `at-${cryptoRand.string(8)}`,
          refresh_token: "rt-1",
          token_type: "Bearer",
          expires_in: 3600,
          id_token: idToken(),
        };
      }
      case "/userinfo":
        return identity;
      case "/validate":
        return { login: "ext", id: 7 };
      case "/device":
        return {
          device_code: "dc-1",
          user_code: "ABCD-EFGH",
          verification_uri: `${url}/verify`,
          expires_in: 900,
          interval: 1,
        };
      default:
        return {};
    }
  }

  const server = createServer((request, response) => {
    answer(request).then(
      (body) => {
        if ("location" in body && typeof body["location"] === "string") {
          response.writeHead(302, { location: body["location"] }).end();
        } else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
      },
      () => response.writeHead(500).end(),
    );
  });
  url = await listen(server);
  return {
    url,
    become: (claims) => {
      identity = { ...identity, ...claims };
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`);
    });
  });
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}
