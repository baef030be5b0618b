// The tokens: the caller gives them, or they are of the service's own sign-in and are kept and renewed here. There is
// no timer and no lock: two windows that renew at once get the same answer from the service.
import type { SignInInfo, User } from "./contract.js";
import { TaskApiError } from "./error.js";
import type { Bearer, Send, Tokens } from "./send.js";
import type { Options, SignIn, Storage, Token } from "./types.js";

const KEY = "task-api-session";
const EARLY_MS = 60_000; // a token that ends so soon is renewed before it is used

interface Pair {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  user?: User;
}

/** `ends` is by the clock of this machine, counted from when the token came: a hint, since a 401 is the truth. */
interface Session {
  access_token: string;
  refresh_token: string;
  ends: number;
  user: User | null;
}

/** The tokens that a page gets elsewhere; a function is asked once, and again after a refusal. */
export function givenTokens(given: Token): Tokens {
  if (typeof given === "string") return { get: async () => ({ token: given }), renew: async () => null };
  let fetched: Promise<Bearer> | undefined; // a promise, so that calls at the same time share it
  let last: Bearer | undefined;
  const ask = (fresh: boolean): Promise<Bearer> => {
    const asked = (async () => (last = { token: await given({ fresh }) }))();
    asked.catch(() => fetched === asked && (fetched = undefined)); // the next call asks again
    return (fetched = asked);
  };
  return {
    get: () => fetched ?? ask(false),
    // Another call may have renewed it already.
    renew: (refused) => (fetched && last !== refused ? fetched : ask(true)),
  };
}

export interface SessionTokens extends Tokens {
  keep(pair: Pair): Promise<Session>;
  read(): Promise<Session | null>;
  forget(): Promise<void>;
}

/** The tokens of the service's own sign-in. */
export function sessionTokens(storage: Storage, send: Send): SessionTokens {
  let renewing: Promise<Session | null> | undefined; // calls at the same time share it

  async function read(): Promise<Session | null> {
    const text = await storage.get(KEY);
    try {
      return text ? JSON.parse(text) : null;
    } catch {
      return null; // not ours
    }
  }
  async function keep({ access_token, refresh_token, expires_in, user }: Pair): Promise<Session> {
    const session = { access_token, refresh_token, ends: Date.now() + 1000 * expires_in, user: user ?? (await read())?.user ?? null };
    await storage.set(KEY, JSON.stringify(session));
    return session;
  }
  async function forget(): Promise<void> {
    await storage.remove(KEY);
  }
  const isStill = async (before: Session): Promise<boolean> => (await read())?.refresh_token === before.refresh_token;

  async function refresh(before: Session): Promise<Session | null> {
    try {
      const { data } = await send<{ data: Pair }>("/api/auth/refresh", {
        method: "POST", body: { refresh_token: before.refresh_token }, mayRepeat: true, isOpen: true,
      });
      if (await isStill(before)) return await keep(data);
    } catch (problem) {
      if (!(problem instanceof TaskApiError) || problem.status !== 401) throw problem; // offline is not signed out
      if (await isStill(before)) await forget();
    }
    // Another window was faster; or somebody has signed out or in meanwhile, and wants nothing of this session.
    const now = await read();
    return ownerOf(now) === ownerOf(before) ? now : null;
  }
  const renewed = (before: Session): Promise<Session | null> =>
    (renewing ??= refresh(before).finally(() => (renewing = undefined)));

  return {
    read, keep, forget,
    async get() {
      const session = await read();
      if (!session) return null;
      const left = session.ends - Date.now();
      if (left > EARLY_MS) return bearerOf(session);
      return renewed(session).then(bearerOf, (problem: unknown) => {
        if (left <= 0) throw problem;
        return bearerOf(session); // it is good for a moment more
      });
    },
    async renew(refused) {
      const session = await read();
      if (!session || ownerOf(session) !== refused.owner) return null;
      return bearerOf(session.access_token === refused.token ? await renewed(session) : session);
    },
  };
}

const ownerOf = (session: Session | null): string | undefined => session?.user?.id;
const bearerOf = (session: Session | null): Bearer | null => session && { token: session.access_token, owner: ownerOf(session) };

/** In a browser what stays when the window is closed, elsewhere the memory. */
export function defaultStorage(): Storage {
  const kept = localStorageIfAny();
  if (kept) return { get: (key) => kept.getItem(key), set: (key, value) => kept.setItem(key, value), remove: (key) => kept.removeItem(key) };
  const memory = new Map<string, string>();
  return { get: (key) => memory.get(key), set: (key, value) => memory.set(key, value), remove: (key) => memory.delete(key) };
}

// Node.js has a localStorage that warns or fails, and a browser may forbid it.
function localStorageIfAny(): globalThis.Storage | null {
  try {
    return typeof document === "undefined" ? null : globalThis.localStorage;
  } catch {
    return null;
  }
}

export function signIn(send: Send, tokens: SessionTokens | null): SignIn {
  function own(): SessionTokens {
    if (!tokens) throw new Error("This client uses the token that it was made with. Make one without a token to sign in.");
    return tokens;
  }
  async function enter(path: string, body: unknown, options?: Options): Promise<User> {
    const { keep } = own();
    const sent = { ...options, method: "POST", body, mayRepeat: true, isOpen: true };
    const { data } = await send<{ data: Pair & { user: User } }>(path, sent);
    await keep(data);
    return data.user;
  }
  return {
    register: (fields, options) => enter("/api/auth/register", fields, options),
    login: (fields, options) => enter("/api/auth/login", fields, options),
    async logout(options) {
      const { read, forget } = own();
      const session = await read();
      await forget(); // whatever the service says
      if (!session) return;
      const sent = { ...options, method: "POST", body: { refresh_token: session.refresh_token }, mayRepeat: true, isOpen: true };
      await send("/api/auth/logout", sent).catch(() => {}); // the session ends by itself
    },
    async changePassword(fields, options) {
      const { keep } = own();
      const { data } = await send<{ data: Pair }>("/api/me/password", {
        ...options, method: "PUT", body: fields, mayRepeat: false, // the second time, the current password is another one
      });
      await keep(data);
    },
    user: async () => (await tokens?.read())?.user ?? null,
    settings: async (options) => (await send<{ data: SignInInfo }>("/api/auth", { ...options, isOpen: true })).data,
  };
}
