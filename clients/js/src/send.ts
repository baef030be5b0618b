// Sends a request until it is answered for good.
import { TaskApiError } from "./error.js";
import type { RequestOptions } from "./types.js";

const TRIES = 5;
const TRY_MS = 40_000; // the service gives up a request after 30 seconds at most
const LONGEST_WAIT_SECONDS = 60; // a limit per hour or day is something to tell the user, not to wait for
const NO_ANSWER = { code: "NO_ANSWER", message: "No answer came. A change may have been made or not." };
export const PASSING = [429, 502, 503, 504]; // the statuses after which the same request may succeed

export type Wait = (milliseconds: number, signal?: AbortSignal) => Promise<unknown>;

/** A token, and whose it is, where that is known. */
export interface Bearer {
  token: string;
  owner?: string | undefined;
}

/** Where the tokens come from. */
export interface Tokens {
  /** What the next request is sent with, or null for nothing. */
  get(): Promise<Bearer | null>;
  /** Another token of the same user than the refused one, or null if there is none. */
  renew(refused: Bearer): Promise<Bearer | null>;
}

export interface Sending extends RequestOptions {
  /** Whether the request means the same a second time; by default, its method says so. */
  mayRepeat?: boolean;
  /** It needs no token. */
  isOpen?: boolean;
  /** Its answer takes as long as it takes: a file. */
  isLong?: boolean;
  /** Its answer has no end, and its signal is the caller's own. */
  isStream?: boolean;
}

type Read<T> = (answer: Response) => Promise<T> | T;
export type Send = <T>(path: string, options?: Sending, read?: Read<T>) => Promise<T>;

export function sender(address: string, tokens: Tokens, fetch: typeof globalThis.fetch, wait: Wait): Send {
  const base = address.replace(/\/+$/, "");
  return async function send<T>(path: string, options: Sending = {}, read: Read<T> = readBody): Promise<T> {
    const { method = "GET", body, signal, isOpen } = options;
    const headers = headersOf(options);
    const sent = { method, headers, cache: "no-store" as const, body: bodyOf(options) }; // Next.js keeps answers otherwise
    const mayRepeat = options.mayRepeat ?? (headers.has("Idempotency-Key") || isRepeatable(method, body));
    let bearer = isOpen ? null : await tokens.get();
    for (let tries = 1, unsure = false, renewed = false, problem: TaskApiError; ; tries += 1) {
      if (bearer) headers.set("Authorization", `Bearer ${bearer.token}`);
      const held = options.isStream ? undefined : hold(signal, options.isLong ? undefined : TRY_MS);
      try {
        const answer = await fetch(base + path, { ...sent, signal: held?.signal ?? signal ?? null });
        if (answer.ok) return await read(answer);
        problem = new TaskApiError(answer.status, await readBody(answer).catch(() => null), answer.headers);
      } catch (cause) {
        if (signal?.aborted) throw cause;
        problem = new TaskApiError(0, { error: NO_ANSWER }, undefined, cause);
      } finally {
        held?.release();
      }
      const { status, retryAfter } = problem;
      if (status === 401 && bearer && !renewed) {
        renewed = true; // a token that is new and refused does not get better
        const better = await tokens.renew(bearer);
        if (better) {
          bearer = better;
          continue;
        }
      }
      const isPassing = status === 429 || (mayRepeat && (status === 0 || PASSING.includes(status))); // 429 changed nothing
      if (!isPassing || tries >= TRIES || retryAfter > LONGEST_WAIT_SECONDS) throw Object.assign(problem, { unsure });
      unsure ||= status !== 429; // this try may have been carried out
      await wait(1000 * (retryAfter >= 0 ? retryAfter + Math.random() : growing(tries)), signal);
      throwIfAborted(signal);
    }
  };
}

// Files have a type of their own, which the caller says.
const isFile = (headers: HeadersInit | undefined): boolean => new Headers(headers).has("Content-Type");

function headersOf({ headers: given, ifMatch, body }: Sending): Headers {
  const headers = new Headers(given);
  if (ifMatch) headers.set("If-Match", ifMatch === "*" ? "*" : `"${ifMatch.revision}"`);
  if (body !== undefined && !isFile(given)) headers.set("Content-Type", "application/json");
  return headers;
}

function bodyOf({ headers, body }: Sending): BodyInit | null {
  if (body === undefined) return null;
  return isFile(headers) ? (body as BodyInit) : JSON.stringify(body);
}

// A POST adds something each time, and PATCH without a body toggles. What a status that contradicts `completed` means
// depends on the task as it is, so a second time it can mean something else.
function isRepeatable(method: string, body: unknown): boolean {
  const { status, completed } = (body ?? {}) as { status?: string; completed?: boolean };
  if (method === "POST" || (method === "PATCH" && !body)) return false;
  return status === undefined || completed === undefined || completed === (status === "done");
}

/** A signal that is aborted with the caller's or after some time, until it is released. With a signal of its own for each
    try, nothing stays behind at the caller's, which may live as long as the page. */
export function hold(signal: AbortSignal | undefined, milliseconds?: number): { signal: AbortSignal; release(): void } {
  const own = new AbortController();
  const abort = (): void => own.abort(signal?.reason);
  const timer = milliseconds === undefined ? undefined : setTimeout(() => own.abort(), milliseconds);
  if (signal?.aborted) abort();
  else signal?.addEventListener("abort", abort);
  const release = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  };
  return { signal: own.signal, release };
}

export async function readBody<T>(answer: Response): Promise<T> {
  const text = await answer.text();
  const isJson = /^application\/json\b/.test(answer.headers.get("Content-Type") ?? "");
  return isJson ? JSON.parse(text) : ((text || undefined) as T);
}

/** In seconds, and never quite the same, so that pages do not all come back at once. */
export const growing = (tries: number): number => Math.min(30, 2 ** (tries - 2)) * (0.5 + Math.random());

/** Resolves after some time, or when the signal is aborted. */
export const pause: Wait = (milliseconds, signal) =>
  new Promise<void>((resume) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resume();
    };
    const timer = setTimeout(end, milliseconds);
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end);
  });

// What the platform's own throwIfAborted does, which React Native lacks.
function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason ?? Object.assign(new Error("The call was aborted."), { name: "AbortError" });
}
