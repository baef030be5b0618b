// Follows the user's changes: as a stream, or where fetch has none (React Native), by asking again and again.
import type { ChangeType } from "./contract.js";
import { TaskApiError } from "./error.js";
import { growing, hold, PASSING, type Send, type Wait } from "./send.js";
import type { Change, ChangesOptions, SubscribeOptions } from "./types.js";

const SILENCE_MS = 45_000; // the service sends something every 15 seconds, so a stream this silent is dead
const POLL_MS = 5_000;

/** What the feed reports; without `types` in the request, the task alone. */
interface Reported {
  type?: ChangeType;
  data?: Item;
}
type Item = { id: string; deleted?: boolean };
type Follow = (since: string | undefined, types: string, signal?: AbortSignal) => AsyncGenerator<[string, Reported], void, void>;

const canStream = (): boolean => typeof Response === "function" && "body" in Response.prototype;

export function follower(send: Send, wait: Wait) {
  // Yields what comes until the stream ends or breaks.
  async function* stream(since: string | undefined, types: string, signal?: AbortSignal) {
    const held = hold(signal);
    try {
      const headers: Record<string, string> = since ? { "Last-Event-ID": since } : {};
      const options = { headers, isStream: true, signal: held.signal };
      const body = await send(`/api/changes/stream?${types}`, options, (answer) => answer.body);
      if (body) for await (const { id, data } of eventsIn(body)) yield [id ?? since, data] as [string, Reported];
    } finally {
      held.release();
    }
  }

  async function* poll(since: string | undefined, types: string, signal?: AbortSignal) {
    for (let hasMore = true; hasMore; ) {
      const from = since ? `&since=${encodeURIComponent(since)}` : "";
      const { data, page } = await send<Polled>(`/api/changes?${types}${from}`, signal && { signal });
      [since, hasMore] = [page.next_since, page.has_more];
      // A page is taken whole or again: a token for each of its changes is what only the stream has.
      for (const [index, item] of data.entries()) yield [index === data.length - 1 ? since : "", item] as [string, Reported];
    }
  }

  async function* changes({ since, signal, types, pollEvery }: ChangesOptions = {}): AsyncGenerator<Change, void, void> {
    const every = pollEvery ?? (canStream() ? undefined : POLL_MS);
    const follow: Follow = every === undefined ? stream : poll;
    const asked = types ? `types=${typeof types === "string" ? types : types.join()}` : "";
    for (let failures = 1; !signal?.aborted; failures += 1) {
      try {
        for await (const [id, reported] of follow(since, asked, signal)) {
          if (signal?.aborted) return;
          [since, failures] = [id || since, 1];
          const change = changeOf(since ?? "", reported);
          if (change) yield change;
        }
        if (every !== undefined) failures = 0;
      } catch (problem) {
        const status = problem instanceof TaskApiError ? problem.status : 0;
        if (!signal?.aborted && status !== 0 && !PASSING.includes(status)) throw problem;
      }
      // Streams end: after an hour, with the token, with the network.
      if (!signal?.aborted) await wait(failures === 0 ? (every ?? 0) : 1000 * growing(failures), signal);
    }
  }

  function subscribe(callback: (change: Change) => unknown, options: SubscribeOptions = {}): () => void {
    const { signal, onError, ...followed } = options;
    const own = new AbortController();
    const stop = (): void => own.abort();
    async function run(): Promise<void> {
      try {
        for await (const change of changes({ ...followed, signal: own.signal })) await callback(change);
      } catch (problem) {
        if (own.signal.aborted) return;
        if (!onError) throw problem;
        onError(problem);
      } finally {
        signal?.removeEventListener("abort", stop);
      }
    }
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop);
    void run();
    return stop;
  }
  return { changes, subscribe };
}

interface Polled {
  data: Reported[];
  page: { next_since: string; has_more: boolean };
}

function changeOf(since: string, reported: Reported | undefined): Change | undefined {
  const { type = "task", data = reported as Item | undefined } = reported ?? {};
  if (!data) return undefined;
  return (data.deleted ? { since, type, deleted: data.id } : { since, type, [type]: data }) as Change;
}

// Reads server-sent events until the stream ends or breaks; half an event at its end is left out.
async function* eventsIn(body: ReadableStream<Uint8Array>): AsyncGenerator<{ id?: string; data?: Reported }, void, void> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  try {
    for (let text = ""; ; ) {
      const timer = setTimeout(() => reader.cancel(), SILENCE_MS);
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined })).finally(() => clearTimeout(timer));
      if (done) return;
      const events = (text + value).split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) {
        const [id, data] = ["id", "data"].map((field) => event.match(`(?:^|\\n)${field}: ?(.*)`)?.[1]);
        yield { ...(id && { id }), ...(data && { data: JSON.parse(data) }) };
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // a broken stream cannot be cancelled, and need not
  }
}
