/** The typed client with this browser's cookie. Every 401 means the same: the session is over. */
import { type Client, newClient } from "#codersdk/client.ts";

export interface SiteClientOptions {
  readonly onSignedOut: () => void;
}

export function siteClient({ onSignedOut }: SiteClientOptions): Client {
  const csrf = document.querySelector('meta[property="csrf-token"]')?.getAttribute("content") ?? "";
  return newClient({
    url: location.origin,
    headers: { "X-CSRF-Token": csrf },
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      const path = new URL(response.url === "" ? location.href : response.url).pathname;
      if (response.status === 401 && path !== "/api/v2/users/login") onSignedOut();
      return response;
    },
  });
}
