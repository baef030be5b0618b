// A fetch that speaks what a page was written for, so that the page need not change. The service itself never guesses.
import { keepingSession } from "./kept.js";
import type { Storage } from "./types.js";
import { isFields, translator, type Vocabulary } from "./words.js";

export { axiosAdapter } from "./axios.js";
export type { Vocabulary } from "./words.js";

const TASKS = "/api/tasks";
const TOGGLE = /\/(?:toggle\/([^/]+)|([^/]+)\/toggle)$/;
const MOST = 1000; // tasks on a page of the service
const NO_BODY = [101, 204, 205, 304];

export interface Dialect extends Vocabulary {
  /** Where the service is. Requests to other origins are left alone; relative ones go there. */
  address?: string | undefined;
  /**
   * The page's paths for tasks: `["/api/v1/todos", "/api/{user}/tasks"]`. What follows them is kept. One with an origin,
   * `"http://localhost:3000/todos"`, leads requests to that origin to the service, too.
   */
  paths?: readonly string[] | undefined;
  /** Other paths, and ours: `{ "/auth/signin": "/api/auth/login" }`. */
  routes?: Record<string, string> | undefined;
  /** A listing is an object with the tasks under this name, and `total`; by default it is the array alone. */
  list?: string | undefined;
  /** A single task is in an object under this name. */
  item?: string | undefined;
  /** `/{id}/toggle` and `/toggle/{id}` toggle, whatever their method. */
  toggle?: boolean | undefined;
  /** An answer without a body is this text, as JSON with status 200: pages that always call `json()` fail otherwise. */
  empty204?: string | undefined;
  /** What the page finds around each answer: `(data, { ok }) => ({ status: ok ? "success" : "fail", data, message: data.message })`. */
  around?: ((content: any, answer: Response) => unknown) | undefined;
  /** The page sends no token, as its service kept the session in a cookie. What a login answers is kept for it, as the client does. */
  session?: boolean | Storage | undefined;
  fetch?: typeof globalThis.fetch | undefined;
}

export function dialect(given: Dialect = {}): typeof globalThis.fetch {
  const before = globalThis.fetch; // a page may put this one in its place
  const platform: typeof before = (...request) => (globalThis.fetch === speaking ? before : globalThis.fetch)(...request);
  const fetch = given.fetch ?? platform;
  const send = given.session ? keepingSession(given, given.session, fetch) : (to: URL, sent: Sent) => fetch(to.href, sent);
  const { toService, toPage, query } = translator(given);
  const pathOf = router(given);
  const origins = originsOf(given);

  const speaking: typeof before = async (input, init) => {
    const url = addressOf(input, given.address, origins);
    const path = url ? pathOf(url) : undefined;
    if (!url || path === undefined) return fetch(input, init);
    const sent = await requestOf(input, init);
    const isToggle = Boolean(given.toggle) && TOGGLE.test(path);
    url.pathname = isToggle ? path.replace(TOGGLE, "/$1$2/complete") : path;
    url.search = String(query(url.searchParams));
    if (isToggle) Object.assign(sent, { method: "PATCH", body: null }); // without a body, it toggles
    else Object.assign(sent, translated(sent));
    const skipped = sent.method === "GET" && path === TASKS ? skipOf(url.searchParams) : null;
    return readable(await (skipped ? skipping(url, sent, skipped) : send(url, sent)));
  };
  return speaking;

  function translated({ headers, body }: Sent): Partial<Sent> {
    const isOther = headers.has("Content-Type") && !/\bjson\b/.test(headers.get("Content-Type") ?? "");
    if (typeof body !== "string" || isOther) return {};
    try {
      const content: unknown = JSON.parse(body);
      const inner = given.item && isFields(content) && isFields(content[given.item]) ? content[given.item] : content;
      headers.set("Content-Type", "application/json");
      return { body: JSON.stringify(toService(inner)) };
    } catch {
      return {}; // the service says what is wrong with it
    }
  }

  // Pages by number, which the service has not: tasks are read from the first one on, and then left out.
  async function skipping(url: URL, sent: Sent, { skip, limit }: Skip): Promise<Response> {
    const found: unknown[] = [];
    for (const name of SKIPPING) url.searchParams.delete(name);
    url.searchParams.set("include_total", "true");
    for (;;) {
      url.searchParams.set("limit", String(Math.min(MOST, Math.max(1, skip + limit - found.length))));
      const answer = await send(url, sent);
      if (!answer.ok) return answer;
      const { data, page } = (await answer.json()) as { data: unknown[]; page: { next_cursor: string | null } };
      found.push(...data);
      if (found.length < skip + limit && page.next_cursor) url.searchParams.set("cursor", page.next_cursor);
      else return jsonAnswer({ data: found.slice(skip, skip + limit), page }, answer);
    }
  }

  async function readable(answer: Response): Promise<Response> {
    if (answer.status === 204 && given.empty204 !== undefined) return jsonText(given.empty204, answer, 200);
    const isJson = /^application\/json\b/.test(answer.headers.get("Content-Type") ?? "");
    if (!isJson || NO_BODY.includes(answer.status)) return answer; // files and streams pass as they are
    const content: unknown = await answer.json();
    const told = answer.ok ? unwrapped(content) : explained(content);
    return jsonAnswer(given.around ? given.around(told, answer) : told, answer);
  }

  function unwrapped(content: unknown): unknown {
    if (!isFields(content) || !("data" in content)) return content;
    const { data, page } = content;
    const told = toPage(data);
    if (Array.isArray(told)) {
      const total = isFields(page) ? page["total"] : undefined;
      return given.list ? { [given.list]: told, total: total ?? told.length, ...(isFields(page) && { page }) } : told;
    }
    return given.item && isFields(data) && "title" in data ? { [given.item]: told } : told;
  }
}

// What the page shows of an error is in one of these.
function explained(content: unknown): unknown {
  if (!isFields(content)) return content;
  const { detail, error } = content;
  return { ...content, message: detail ?? (isFields(error) ? error["message"] : undefined) };
}

interface Sent extends RequestInit {
  method: string;
  headers: Headers;
}

function addressOf(input: RequestInfo | URL, address: string | undefined, origins: Set<string>): URL | null {
  const text = input instanceof Request ? input.url : String(input);
  const here = address ?? (typeof location === "undefined" ? "http://localhost" : location.href);
  const url = new URL(text, here);
  if (origins.has(url.origin)) return new URL(url.pathname + url.search, here);
  const isElsewhere = address !== undefined && url.origin !== new URL(address).origin;
  return isElsewhere ? null : url;
}

const ORIGIN = /^https?:\/\/[^/]+/;

/** The origins of services that the page was written for. */
function originsOf({ paths = [], routes = {} }: Dialect): Set<string> {
  return new Set([...paths, ...Object.keys(routes)].flatMap((path) => path.match(ORIGIN)?.slice(0, 1) ?? []));
}

async function requestOf(input: RequestInfo | URL, init: RequestInit = {}): Promise<Sent> {
  const method = (init.method ?? (input instanceof Request ? input.method : "GET")).toUpperCase();
  if (!(input instanceof Request)) return { ...init, method, headers: new Headers(init.headers) };
  const { signal, credentials, mode, cache, redirect } = input;
  const isJson = /\bjson\b/.test(input.headers.get("Content-Type") ?? "");
  const body = method === "GET" || method === "HEAD" || !input.body ? null : isJson ? await input.text() : await input.blob();
  return { signal, credentials, mode, cache, redirect, body, ...init, method, headers: new Headers(init.headers ?? input.headers) };
}

/** Finds our path for a path of the page; undefined for what is none of ours. */
function router({ paths = [], routes = {} }: Dialect): (url: URL) => string | undefined {
  const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = (path: string): RegExp =>
    new RegExp(`^${path.replace(ORIGIN, "").split(/\{\w+\}/).map(escape).join("[^/]+").replace(/\/$/, "")}(?=/|$)`);
  const known = [...Object.entries(routes), ...paths.map((path) => [path, TASKS] as const)]
    .map(([path, ours]) => [pattern(path), ours] as const);
  return ({ pathname }) => {
    const found = known.find(([path]) => path.test(pathname));
    const ours = found ? found[1] + pathname.replace(found[0], "") : pathname;
    return ours.startsWith("/api/") ? ours.replace(/\/$/, "") : undefined;
  };
}

interface Skip {
  skip: number;
  limit: number;
}
const SIZES = ["limit", "per_page", "page_size", "pageSize"];
const SKIPPING = ["skip", "offset", "page", ...SIZES];

function skipOf(query: URLSearchParams): Skip | null {
  const number = (name: string): number | null => (/^\d+$/.test(query.get(name) ?? "") ? Number(query.get(name)) : null);
  const limit = SIZES.map(number).find((each) => each !== null) ?? null;
  const [skip, page] = [number("skip") ?? number("offset"), number("page")];
  if (skip === null && page === null && !SIZES.slice(1).some((name) => query.has(name))) return null;
  const size = limit ?? MOST;
  return { skip: skip ?? Math.max(0, (page ?? 1) - 1) * size, limit: size };
}

const jsonAnswer = (content: unknown, answer: Response): Response => jsonText(JSON.stringify(content), answer, answer.status);

function jsonText(text: string, answer: Response, status: number): Response {
  const headers = new Headers(answer.headers);
  for (const name of ["Content-Length", "Content-Encoding"]) headers.delete(name);
  headers.set("Content-Type", "application/json");
  return new Response(text, { status, statusText: answer.statusText, headers });
}
