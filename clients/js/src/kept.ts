// The session of a page whose old service kept it in a cookie: such a page logs in, and sends no token.
import { pause, sender } from "./send.js";
import { defaultStorage, sessionTokens } from "./session.js";
import type { Storage } from "./types.js";

const ENTERING = ["/api/auth/login", "/api/auth/register"];
const LEAVING = "/api/auth/logout";

type Fetch = typeof globalThis.fetch;
type Sent = RequestInit & { headers: Headers };
export type Keeping = (url: URL, sent: Sent) => Promise<Response>;

/** A fetch to the service that keeps what a login answers, sends its token and renews it, until the page logs out. */
export function keepingSession({ address = "" }: { address?: string | undefined }, given: true | Storage, send: Fetch): Keeping {
  const storage = given === true ? defaultStorage() : given;
  const tokens = sessionTokens(storage, sender(address, { get: async () => null, renew: async () => null }, send, pause));

  async function enter(url: URL, sent: Sent): Promise<Response> {
    const answer = await send(url.href, sent);
    if (answer.ok) await tokens.keep(((await answer.clone().json()) as { data: Parameters<typeof tokens.keep>[0] }).data);
    return answer;
  }
  // Whatever the service says, the page is logged out.
  async function leave(url: URL, sent: Sent): Promise<Response> {
    const session = await tokens.read();
    await tokens.forget();
    const done = new Response(null, { status: 204 });
    if (!session) return done;
    sent.headers.set("Content-Type", "application/json");
    const body = JSON.stringify({ refresh_token: session.refresh_token });
    await send(url.href, { ...sent, method: "POST", body }).catch(() => {}); // the session ends by itself
    return done;
  }
  return async function keeping(url, sent) {
    if (ENTERING.includes(url.pathname)) return enter(url, sent);
    if (url.pathname === LEAVING) return leave(url, sent);
    const bearer = await tokens.get();
    if (!bearer) return send(url.href, sent);
    sent.headers.set("Authorization", `Bearer ${bearer.token}`);
    const answer = await send(url.href, sent);
    const better = answer.status === 401 && !isStream(sent.body) ? await tokens.renew(bearer) : null;
    if (!better) return answer;
    sent.headers.set("Authorization", `Bearer ${better.token}`);
    return send(url.href, sent);
  };
}

// It can be read once only.
const isStream = (body: unknown): boolean => typeof (body as { getReader?: unknown } | null | undefined)?.getReader === "function";
