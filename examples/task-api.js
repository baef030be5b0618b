// A client of the Task API for pages and Node.js 18 or later. Copy this file, and task-api.d.ts if you use TypeScript.
//   const tasks = taskApi("http://localhost:8000", getToken); // a token, or a function that fetches one
// Make a new client when another user signs in, because it keeps the token.
const TRIES = 5;
const LONGEST_WAIT_SECONDS = 60; // a limit per hour or day is something to tell the user, not to wait for
const SILENCE_MS = 45_000; // the service sends something every 15 seconds, so a stream this silent is dead
const NO_ANSWER = { code: "NO_ANSWER", message: "No answer came. A change may have been made or not." };
const PASSING = [429, 502, 503, 504]; // the statuses after which the same request may succeed

export class TaskApiError extends Error {
  constructor(status, body, headers, cause) {
    const error = body?.error ?? {}; // a proxy in between does not know our errors
    super(error.message ?? `The service answered ${status}.`, { cause });
    this.name = "TaskApiError";
    this.status = status; // 0: no answer came
    this.code = error.code ?? "UNKNOWN";
    this.details = error.details ?? []; // what is wrong with which field
    this.requestId = error.request_id ?? headers?.get("X-Request-Id") ?? null;
    this.retryAfter = Number(headers?.get("Retry-After") ?? NaN); // in seconds
    if (status === 412 && body?.data) this["title" in body.data ? "task" : "list"] = body.data; // as it is now, to show it
  }
}
export function taskApi(address, getToken, { fetch = (...request) => globalThis.fetch(...request), wait = pause } = {}) {
  let token; // a promise, so that calls at the same time share it
  function renew(refused) {
    if (token !== refused) return token; // another call has renewed it already
    const fetched = (async () => (typeof getToken === "string" ? getToken : getToken({ fresh: Boolean(refused) })))();
    fetched.catch(() => token === fetched && (token = undefined)); // the next call asks again
    return (token = fetched);
  }
  // Sends a request until it is answered for good, and returns what `read` makes of the answer.
  async function send(path, { method = "GET", body, headers: given, ifMatch, signal } = {}, read = readBody) {
    const headers = new Headers(given);
    if (ifMatch) headers.set("If-Match", ifMatch === "*" ? "*" : `"${ifMatch.revision}"`);
    const isJson = body !== undefined && !headers.has("Content-Type"); // files have a type of their own
    if (isJson) headers.set("Content-Type", "application/json");
    const sent = { method, headers, body: isJson ? JSON.stringify(body) : body, signal };
    const mayRepeat = headers.has("Idempotency-Key") || isRepeatable(method, body);
    let renewed = typeof getToken === "string"; // a fixed token does not get better
    for (let tries = 1, unsure = false, problem; ; tries += 1) { // unsure: an earlier try may have been carried out
      const used = token ?? renew();
      headers.set("Authorization", `Bearer ${await used}`);
      try {
        const answer = await fetch(address.replace(/\/+$/, "") + path, sent);
        if (answer.ok) return await read(answer);
        problem = new TaskApiError(answer.status, await readBody(answer).catch(() => null), answer.headers);
      } catch (cause) {
        if (signal?.aborted) throw cause;
        problem = new TaskApiError(0, { error: NO_ANSWER }, null, cause);
      }
      const { status, retryAfter } = problem;
      if (status === 401 && !renewed) {
        renewed = Boolean(renew(used));
        continue;
      }
      const isPassing = status === 429 || (mayRepeat && (status === 0 || PASSING.includes(status))); // 429 changed nothing
      if (!isPassing || tries >= TRIES || retryAfter > LONGEST_WAIT_SECONDS) throw Object.assign(problem, { unsure });
      unsure ||= status !== 429;
      await wait(1000 * (retryAfter >= 0 ? retryAfter : growing(tries)), signal);
    }
  }
  const request = (path, options) => send(path, options).then((content) =>
    content?.page ? hidden(content.data, "page", content.page) : content?.data ?? content);
  const at = (id) => `/api/tasks/${encodeURIComponent(id)}`;
  // With a key, the service carries a request out once, however often it arrives.
  const once = (options) => ({ method: "POST", ...options, headers: { "Idempotency-Key": newKey(), ...options?.headers } });
  async function list(query = {}, options = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
    const found = await request(`/api/tasks?${new URLSearchParams(given)}`, options);
    const { next_cursor: cursor } = found.page;
    return hidden(found, "next", cursor && (() => list({ ...query, cursor }, options)));
  }
  const update = (id, changes, options) =>
    request(at(id), { ...options, method: "PATCH", body: changes }).catch((problem) => {
      const { unsure, task } = problem;
      if (!unsure || !task || Object.keys(changes).some((name) => task[name] !== changes[name])) throw problem;
      return task; // the answer to the first try was lost, and the next one met the task as the first had left it
    });
  const remove = (id, { permanent = false, ...options } = {}) =>
    request(at(id) + (permanent ? "?permanent=true" : ""), { ...options, method: "DELETE" }).catch((problem) => {
      if (!problem.unsure || problem.status !== 404) throw problem; // otherwise the first try has removed it
    });
  // Yields each change after `since`, then each as it happens, until `signal` is aborted. Store its `since` with your copy,
  // to continue from there another day. After error 410, drop the copy and start without `since`. `types` says what is
  // followed: tasks, or "task,label,list", or some of these. Stay with them as long as you go on from a `since`.
  async function* changes({ since, signal, types } = {}) {
    for (let failures = 1; !signal?.aborted; failures += 1) {
      try {
        const headers = since ? { "Last-Event-ID": since } : {};
        const body = await send(`/api/changes/stream${types ? `?types=${types}` : ""}`, { headers, signal }, (answer) => answer.body);
        for await (const { id, data } of eventsIn(body)) {
          [since, failures] = [id ?? since, 1];
          const { type = "task", data: item = data } = data ?? {};
          if (item) yield { since, type, ...(item.deleted ? { deleted: item.id } : { [type]: item }) };
        }
      } catch (problem) {
        if (!signal?.aborted && problem.status !== 0 && !PASSING.includes(problem.status)) throw problem;
      }
      if (!signal?.aborted) await wait(1000 * growing(failures), signal); // streams end: after an hour, with the token, with the network
    }
  }
  return {
    list, update, remove, changes, request, // `request` is for all other calls
    get: (id, options) => request(at(id), options),
    create: (fields, options) => request("/api/tasks", { ...once(options), body: fields }),
    move: (id, place = {}, options) => request(`${at(id)}/move`, { ...once(options), body: place }), // {}: to the end
    complete: (id, completed = true, { cascade, ...options } = {}) => // cascade: false leaves its subtasks alone
      request(`${at(id)}/complete`, { ...options, method: "PATCH", body: { completed, cascade } }),
    batch: (operations, { atomic = true, ...options } = {}) =>
      request("/api/tasks/batch", { ...once(options), body: { operations, atomic } }),
  };
}
// A POST adds something each time, and PATCH without a body toggles. What a status that contradicts `completed` means
// depends on the task as it is, so a second time it can mean something else.
function isRepeatable(method, body) {
  const { status, completed } = body ?? {};
  if (method === "POST" || (method === "PATCH" && !body)) return false;
  return status === undefined || completed === undefined || completed === (status === "done");
}
async function readBody(answer) {
  const text = await answer.text();
  return /^application\/json\b/.test(answer.headers.get("Content-Type")) ? JSON.parse(text) : text || undefined;
}
// Adds a property to a list that loops, copies and comparisons do not see.
const hidden = (list, name, value) => Object.defineProperty(list, name, { value });
// A page that came over plain HTTP from another machine has no randomUUID.
const newKey = () => globalThis.crypto?.randomUUID?.() ?? `${Date.now()}-${Math.random()}-${Math.random()}`;
// In seconds, and never quite the same, so that pages do not all come back at once.
const growing = (tries) => Math.min(30, 2 ** (tries - 2)) * (0.5 + Math.random());
const pause = (ms, signal) => new Promise((resume) => [setTimeout(resume, ms), signal?.addEventListener("abort", resume)]);
// Reads server-sent events until the stream ends or breaks; half an event at its end is left out.
async function* eventsIn(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let text = ""; ; ) {
      const timer = setTimeout(() => reader.cancel(), SILENCE_MS);
      const { done, value } = await reader.read().catch(() => ({ done: true })).finally(() => clearTimeout(timer));
      if (done) return;
      const events = (text + value).split("\n\n");
      text = events.pop();
      for (const event of events) {
        const [id, data] = ["id", "data"].map((field) => event.match(`(?:^|\\n)${field}: ?(.*)`)?.[1]);
        yield { id, data: data && JSON.parse(data) };
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // a broken stream cannot be cancelled, and need not
  }
}
