// task-api-client, built from clients/js of the Task API.
const PAGE = 1000; // what the service gives at most
const MOST = 10_000;
/** What is in `data`, or the whole answer where there is something beside it. */
const requester = (send) => async (path, options) => {
    const content = await send(path, options);
    return (content?.page ? content : (content?.data ?? content));
};
/** With a key, the service carries a request out once, however often it arrives. */
const once = (options) => ({
    ...options, method: "POST", headers: { "Idempotency-Key": newKey(), ...options?.headers },
});
// A page that came over plain HTTP from another machine has no randomUUID.
const newKey = () => globalThis.crypto?.randomUUID?.() ?? `${Date.now()}-${Math.random()}-${Math.random()}`;
/** The query of a path, without what is null or undefined. */
function queryOf(query = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
    return given.length > 0 ? `?${new URLSearchParams(given)}` : "";
}
/** A deletion whose answer was lost has succeeded, if the next try finds nothing. */
const unlessGone = (problem) => {
    if (!problem.unsure || problem.status !== 404)
        throw problem;
};
const at = (id) => `/api/tasks/${encodeURIComponent(id)}`;
function reading(request) {
    async function page(path, query, options) {
        const { data, page } = await request(path + queryOf(query), options);
        return { tasks: data, page };
    }
    async function events(path, query, options) {
        const { data, page } = await request(path + queryOf(query), options);
        return { events: data, page };
    }
    const list = (query = {}, options) => page("/api/tasks", query, options);
    function all(query = {}, options) {
        async function* each() {
            for (let cursor; cursor !== null;) {
                const found = await list({ limit: PAGE, ...query, cursor }, options);
                yield* found.tasks;
                cursor = found.page.next_cursor;
            }
        }
        async function toArray({ limit }) {
            if (!(limit >= 0 && limit <= MOST))
                throw new RangeError(`The limit is a number up to ${MOST}: read more in a loop.`);
            const found = [];
            if (limit > 0)
                for await (const task of each())
                    if (found.push(task) >= limit)
                        break;
            return found;
        }
        return { [Symbol.asyncIterator]: each, toArray };
    }
    return {
        list,
        all,
        counts: async (query, options) => (await list({ ...query, limit: 1, include_counts: true }, options)).page.counts,
        get: (id, { include, ...options } = {}) => request(at(id) + queryOf({ include }), options),
        subtasks: (id, query, options) => page(`${at(id)}/subtasks`, query, options),
        activity: (query, options) => events("/api/activity", query, options),
        activityOf: (id, query, options) => events(`${at(id)}/activity`, query, options),
    };
}
function changing(request) {
    async function update(id, changes, options) {
        try {
            return await request(at(id), { ...options, method: "PATCH", body: changes });
        }
        catch (problem) {
            const { unsure, task } = problem;
            if (!unsure || !task || !has(task, changes))
                throw problem;
            return task; // the answer to the first try was lost, and the next one met the task as the first had left it
        }
    }
    return {
        update,
        create: (fields, options) => request("/api/tasks", { ...once(options), body: fields }),
        complete: (id, completed = true, { cascade, ...options } = {}) => request(`${at(id)}/complete`, { ...options, method: "PATCH", body: { completed, cascade } }),
        toggle: (id, options) => request(`${at(id)}/complete`, { ...once(options), method: "PATCH" }),
        move: (id, place = {}, options) => request(`${at(id)}/move`, { ...once(options), body: place }),
        remove: (id, { permanent, ...options } = {}) => request(at(id) + queryOf({ permanent }), { ...options, method: "DELETE" }).catch(unlessGone),
        restore: (id, options) => request(`${at(id)}/restore`, once(options)),
        undo: (id, options) => request(`${at(id)}/undo`, once(options)),
        undoRequest: (requestId, options) => request("/api/undo", { ...once(options), body: { request_id: requestId } }),
        batch: (operations, { atomic = true, ...options } = {}) => request("/api/tasks/batch", { ...once(options), body: { operations, atomic } }),
    };
}
const has = (task, changes) => Object.entries(changes).every(([name, value]) => JSON.stringify(task[name]) === JSON.stringify(value));
const TYPES = { json: "application/json", csv: "text/csv", ics: "text/calendar" };
// Browsers do not know every type, but a file has a name.
function typeOf(file) {
    const { type = "", name = "" } = typeof file === "string" ? {} : file;
    return TYPES[name.split(".").pop() ?? ""] || type || "application/jsonl";
}
function files(send, request) {
    return {
        importFile(file, { type = typeOf(file), ...options } = {}) {
            const { headers, ...rest } = once(options);
            const sent = { ...rest, headers: { "Content-Type": type, ...headers }, body: file, isLong: true };
            return request("/api/tasks/import", sent);
        },
        exportFile: ({ signal, headers, ...query } = {}) => send(`/api/tasks/export${queryOf(query)}`, { signal, headers, isLong: true }, (answer) => answer.blob()),
    };
}

function lists(request) {
    const at = (id) => `/api/lists/${encodeURIComponent(id)}`;
    return {
        list: (query, options) => request(`/api/lists${queryOf(query)}`, options),
        get: (id, options) => request(at(id), options),
        create: (fields, options) => request("/api/lists", { ...once(options), body: fields }),
        update: (id, changes, options) => request(at(id), { ...options, method: "PATCH", body: changes }),
        remove: (id, { tasks, permanent, ...options } = {}) => request(at(id) + queryOf({ tasks, permanent }), { ...options, method: "DELETE" }).catch(unlessGone),
        restore: (id, options) => request(`${at(id)}/restore`, once(options)),
        move: (id, place = {}, options) => request(`${at(id)}/move`, { ...once(options), body: place }),
    };
}
function labels(request) {
    const at = (name) => `/api/labels/${encodeURIComponent(name)}`;
    return {
        list: (options) => request("/api/labels", options),
        put: (name, fields = {}, options) => request(at(name), { ...options, method: "PUT", body: fields }),
        update: (name, changes, options) => request(at(name), { ...once(options), method: "PATCH", body: changes }),
        remove: (name, options) => request(at(name), { ...options, method: "DELETE" }).catch(unlessGone),
    };
}
function accessTokens(request) {
    const path = "/api/me/tokens";
    return {
        list: (options) => request(path, options),
        create: (fields, options) => request(path, { ...options, method: "POST", body: fields }),
        remove: (id, options) => request(`${path}/${encodeURIComponent(id)}`, { ...options, method: "DELETE" }).catch(unlessGone),
    };
}
function account(send, request) {
    const path = "/api/me";
    return {
        get: (options) => request(path, options),
        update: (changes, options) => request(path, { ...options, method: "PATCH", body: changes }),
        export: (options) => send(`${path}/export`, { ...options, isLong: true }, (answer) => answer.blob()),
        erase: (confirm, options) => request(path + queryOf({ confirm }), { ...options, method: "DELETE", isLong: true }),
    };
}

const BRAND = Symbol.for("task-api-client.TaskApiError");
/** What a call fails with, unless its `signal` was aborted. */
class TaskApiError extends Error {
    /** The status of the answer, or 0 if none came. */
    status;
    /** What is wrong, for programs: `NOT_FOUND`, `VALIDATION_ERROR`, … */
    code;
    /** What is wrong with which field. */
    details;
    requestId;
    /** How many seconds to wait, or NaN. */
    retryAfter;
    /** Whether an earlier try of the same call may have been carried out. */
    unsure = false;
    /** With status 412: the task as it is now, if it was a task that was to be changed. */
    task;
    /** With status 412: the list as it is now, if it was a list. */
    list;
    constructor(status, body, headers, cause) {
        const { error = {}, data } = (body ?? {}); // a proxy in between does not know our errors
        super(error.message ?? `The service answered ${status}.`, { cause });
        Object.defineProperty(this, BRAND, { value: true });
        this.name = "TaskApiError";
        this.status = status;
        this.code = error.code ?? "UNKNOWN";
        this.details = error.details ?? [];
        this.requestId = error.request_id ?? headers?.get("X-Request-Id") ?? null;
        this.retryAfter = secondsOf(headers?.get("Retry-After"));
        if (status !== 412 || !data)
            return;
        if ("title" in data)
            this.task = data;
        else
            this.list = data;
    }
    // A program may hold two copies of this file, perhaps one as CommonJS: an error of either copy is an error of both.
    static [Symbol.hasInstance](value) {
        return typeof value === "object" && value !== null && BRAND in value;
    }
}
// Retry-After is a number of seconds, or a date if a proxy says it.
function secondsOf(text) {
    const seconds = Number(text || NaN);
    return Number.isNaN(seconds) && text ? Math.max(0, (Date.parse(text) - Date.now()) / 1000) : seconds;
}

// Sends a request until it is answered for good.
const TRIES = 5;
const TRY_MS = 40_000; // the service gives up a request after 30 seconds at most
const LONGEST_WAIT_SECONDS = 60; // a limit per hour or day is something to tell the user, not to wait for
const NO_ANSWER = { code: "NO_ANSWER", message: "No answer came. A change may have been made or not." };
const PASSING = [429, 502, 503, 504]; // the statuses after which the same request may succeed
function sender(address, tokens, fetch, wait) {
    const base = address.replace(/\/+$/, "");
    return async function send(path, options = {}, read = readBody) {
        const { method = "GET", body, signal, isOpen } = options;
        const headers = headersOf(options);
        const sent = { method, headers, cache: "no-store", body: bodyOf(options) }; // Next.js keeps answers otherwise
        const mayRepeat = options.mayRepeat ?? (headers.has("Idempotency-Key") || isRepeatable(method, body));
        let bearer = isOpen ? null : await tokens.get();
        for (let tries = 1, unsure = false, renewed = false, problem;; tries += 1) {
            if (bearer)
                headers.set("Authorization", `Bearer ${bearer.token}`);
            const held = options.isStream ? undefined : hold(signal, options.isLong ? undefined : TRY_MS);
            try {
                const answer = await fetch(base + path, { ...sent, signal: held?.signal ?? signal ?? null });
                if (answer.ok)
                    return await read(answer);
                problem = new TaskApiError(answer.status, await readBody(answer).catch(() => null), answer.headers);
            }
            catch (cause) {
                if (signal?.aborted)
                    throw cause;
                problem = new TaskApiError(0, { error: NO_ANSWER }, undefined, cause);
            }
            finally {
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
            if (!isPassing || tries >= TRIES || retryAfter > LONGEST_WAIT_SECONDS)
                throw Object.assign(problem, { unsure });
            unsure ||= status !== 429; // this try may have been carried out
            await wait(1000 * (retryAfter >= 0 ? retryAfter + Math.random() : growing(tries)), signal);
            throwIfAborted(signal);
        }
    };
}
// Files have a type of their own, which the caller says.
const isFile = (headers) => new Headers(headers).has("Content-Type");
function headersOf({ headers: given, ifMatch, body }) {
    const headers = new Headers(given);
    if (ifMatch)
        headers.set("If-Match", ifMatch === "*" ? "*" : `"${ifMatch.revision}"`);
    if (body !== undefined && !isFile(given))
        headers.set("Content-Type", "application/json");
    return headers;
}
function bodyOf({ headers, body }) {
    if (body === undefined)
        return null;
    return isFile(headers) ? body : JSON.stringify(body);
}
// A POST adds something each time, and PATCH without a body toggles. What a status that contradicts `completed` means
// depends on the task as it is, so a second time it can mean something else.
function isRepeatable(method, body) {
    const { status, completed } = (body ?? {});
    if (method === "POST" || (method === "PATCH" && !body))
        return false;
    return status === undefined || completed === undefined || completed === (status === "done");
}
/** A signal that is aborted with the caller's or after some time, until it is released. With a signal of its own for each
    try, nothing stays behind at the caller's, which may live as long as the page. */
function hold(signal, milliseconds) {
    const own = new AbortController();
    const abort = () => own.abort(signal?.reason);
    const timer = milliseconds === undefined ? undefined : setTimeout(() => own.abort(), milliseconds);
    if (signal?.aborted)
        abort();
    else
        signal?.addEventListener("abort", abort);
    const release = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
    };
    return { signal: own.signal, release };
}
async function readBody(answer) {
    const text = await answer.text();
    const isJson = /^application\/json\b/.test(answer.headers.get("Content-Type") ?? "");
    return isJson ? JSON.parse(text) : (text || undefined);
}
/** In seconds, and never quite the same, so that pages do not all come back at once. */
const growing = (tries) => Math.min(30, 2 ** (tries - 2)) * (0.5 + Math.random());
/** Resolves after some time, or when the signal is aborted. */
const pause = (milliseconds, signal) => new Promise((resume) => {
    const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resume();
    };
    const timer = setTimeout(end, milliseconds);
    if (signal?.aborted)
        end();
    else
        signal?.addEventListener("abort", end);
});
// What the platform's own throwIfAborted does, which React Native lacks.
function throwIfAborted(signal) {
    if (signal?.aborted)
        throw signal.reason ?? Object.assign(new Error("The call was aborted."), { name: "AbortError" });
}

const KEY = "task-api-session";
const EARLY_MS = 60_000; // a token that ends so soon is renewed before it is used
/** The tokens that a page gets elsewhere; a function is asked once, and again after a refusal. */
function givenTokens(given) {
    if (typeof given === "string")
        return { get: async () => ({ token: given }), renew: async () => null };
    let fetched; // a promise, so that calls at the same time share it
    let last;
    const ask = (fresh) => {
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
/** The tokens of the service's own sign-in. */
function sessionTokens(storage, send) {
    let renewing; // calls at the same time share it
    async function read() {
        const text = await storage.get(KEY);
        try {
            return text ? JSON.parse(text) : null;
        }
        catch {
            return null; // not ours
        }
    }
    async function keep({ access_token, refresh_token, expires_in, user }) {
        const session = { access_token, refresh_token, ends: Date.now() + 1000 * expires_in, user: user ?? (await read())?.user ?? null };
        await storage.set(KEY, JSON.stringify(session));
        return session;
    }
    async function forget() {
        await storage.remove(KEY);
    }
    const isStill = async (before) => (await read())?.refresh_token === before.refresh_token;
    async function refresh(before) {
        try {
            const { data } = await send("/api/auth/refresh", {
                method: "POST", body: { refresh_token: before.refresh_token }, mayRepeat: true, isOpen: true,
            });
            if (await isStill(before))
                return await keep(data);
        }
        catch (problem) {
            if (!(problem instanceof TaskApiError) || problem.status !== 401)
                throw problem; // offline is not signed out
            if (await isStill(before))
                await forget();
        }
        // Another window was faster; or somebody has signed out or in meanwhile, and wants nothing of this session.
        const now = await read();
        return ownerOf(now) === ownerOf(before) ? now : null;
    }
    const renewed = (before) => (renewing ??= refresh(before).finally(() => (renewing = undefined)));
    return {
        read, keep, forget,
        async get() {
            const session = await read();
            if (!session)
                return null;
            const left = session.ends - Date.now();
            if (left > EARLY_MS)
                return bearerOf(session);
            return renewed(session).then(bearerOf, (problem) => {
                if (left <= 0)
                    throw problem;
                return bearerOf(session); // it is good for a moment more
            });
        },
        async renew(refused) {
            const session = await read();
            if (!session || ownerOf(session) !== refused.owner)
                return null;
            return bearerOf(session.access_token === refused.token ? await renewed(session) : session);
        },
    };
}
const ownerOf = (session) => session?.user?.id;
const bearerOf = (session) => session && { token: session.access_token, owner: ownerOf(session) };
/** In a browser what stays when the window is closed, elsewhere the memory. */
function defaultStorage() {
    const kept = localStorageIfAny();
    if (kept)
        return { get: (key) => kept.getItem(key), set: (key, value) => kept.setItem(key, value), remove: (key) => kept.removeItem(key) };
    const memory = new Map();
    return { get: (key) => memory.get(key), set: (key, value) => memory.set(key, value), remove: (key) => memory.delete(key) };
}
// Node.js has a localStorage that warns or fails, and a browser may forbid it.
function localStorageIfAny() {
    try {
        return typeof document === "undefined" ? null : globalThis.localStorage;
    }
    catch {
        return null;
    }
}
function signIn(send, tokens) {
    function own() {
        if (!tokens)
            throw new Error("This client uses the token that it was made with. Make one without a token to sign in.");
        return tokens;
    }
    async function enter(path, body, options) {
        const { keep } = own();
        const sent = { ...options, method: "POST", body, mayRepeat: true, isOpen: true };
        const { data } = await send(path, sent);
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
            if (!session)
                return;
            const sent = { ...options, method: "POST", body: { refresh_token: session.refresh_token }, mayRepeat: true, isOpen: true };
            await send("/api/auth/logout", sent).catch(() => { }); // the session ends by itself
        },
        async changePassword(fields, options) {
            const { keep } = own();
            const { data } = await send("/api/me/password", {
                ...options, method: "PUT", body: fields, mayRepeat: false, // the second time, the current password is another one
            });
            await keep(data);
        },
        user: async () => (await tokens?.read())?.user ?? null,
        settings: async (options) => (await send("/api/auth", { ...options, isOpen: true })).data,
    };
}

const SILENCE_MS = 45_000; // the service sends something every 15 seconds, so a stream this silent is dead
const POLL_MS = 5_000;
const canStream = () => typeof Response === "function" && "body" in Response.prototype;
function follower(send, wait) {
    // Yields what comes until the stream ends or breaks.
    async function* stream(since, types, signal) {
        const held = hold(signal);
        try {
            const headers = since ? { "Last-Event-ID": since } : {};
            const options = { headers, isStream: true, signal: held.signal };
            const body = await send(`/api/changes/stream?${types}`, options, (answer) => answer.body);
            if (body)
                for await (const { id, data } of eventsIn(body))
                    yield [id ?? since, data];
        }
        finally {
            held.release();
        }
    }
    async function* poll(since, types, signal) {
        for (let hasMore = true; hasMore;) {
            const from = since ? `&since=${encodeURIComponent(since)}` : "";
            const { data, page } = await send(`/api/changes?${types}${from}`, signal && { signal });
            [since, hasMore] = [page.next_since, page.has_more];
            // A page is taken whole or again: a token for each of its changes is what only the stream has.
            for (const [index, item] of data.entries())
                yield [index === data.length - 1 ? since : "", item];
        }
    }
    async function* changes({ since, signal, types, pollEvery } = {}) {
        const every = pollEvery ?? (canStream() ? undefined : POLL_MS);
        const follow = every === undefined ? stream : poll;
        const asked = types ? `types=${typeof types === "string" ? types : types.join()}` : "";
        for (let failures = 1; !signal?.aborted; failures += 1) {
            try {
                for await (const [id, reported] of follow(since, asked, signal)) {
                    if (signal?.aborted)
                        return;
                    [since, failures] = [id || since, 1];
                    const change = changeOf(since ?? "", reported);
                    if (change)
                        yield change;
                }
                if (every !== undefined)
                    failures = 0;
            }
            catch (problem) {
                const status = problem instanceof TaskApiError ? problem.status : 0;
                if (!signal?.aborted && status !== 0 && !PASSING.includes(status))
                    throw problem;
            }
            // Streams end: after an hour, with the token, with the network.
            if (!signal?.aborted)
                await wait(failures === 0 ? (every ?? 0) : 1000 * growing(failures), signal);
        }
    }
    function subscribe(callback, options = {}) {
        const { signal, onError, ...followed } = options;
        const own = new AbortController();
        const stop = () => own.abort();
        async function run() {
            try {
                for await (const change of changes({ ...followed, signal: own.signal }))
                    await callback(change);
            }
            catch (problem) {
                if (own.signal.aborted)
                    return;
                if (!onError)
                    throw problem;
                onError(problem);
            }
            finally {
                signal?.removeEventListener("abort", stop);
            }
        }
        if (signal?.aborted)
            stop();
        else
            signal?.addEventListener("abort", stop);
        void run();
        return stop;
    }
    return { changes, subscribe };
}
function changeOf(since, reported) {
    const { type = "task", data = reported } = reported ?? {};
    if (!data)
        return undefined;
    return (data.deleted ? { since, type, deleted: data.id } : { since, type, [type]: data });
}
// Reads server-sent events until the stream ends or breaks; half an event at its end is left out.
async function* eventsIn(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    try {
        for (let text = "";;) {
            const timer = setTimeout(() => reader.cancel(), SILENCE_MS);
            const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined })).finally(() => clearTimeout(timer));
            if (done)
                return;
            const events = (text + value).split("\n\n");
            text = events.pop() ?? "";
            for (const event of events) {
                const [id, data] = ["id", "data"].map((field) => event.match(`(?:^|\\n)${field}: ?(.*)`)?.[1]);
                yield { ...(id && { id }), ...(data && { data: JSON.parse(data) }) };
            }
        }
    }
    finally {
        reader.cancel().catch(() => { }); // a broken stream cannot be cancelled, and need not
    }
}

const NONE = { get: async () => null, renew: async () => null };
/**
 * Makes a client of the service at this address. It uses the token that you give, or asks your function for one; without
 * either, `auth` signs in at the service itself. Make a new client when another user signs in, since it keeps a token that
 * it was given.
 */
function taskApi(address, token, options = {}) {
    const { fetch = (...request) => globalThis.fetch(...request), wait = pause, storage } = options;
    const open = sender(address, NONE, fetch, wait);
    const session = token === undefined || token === null ? sessionTokens(storage ?? defaultStorage(), open) : null;
    const send = sender(address, session ?? givenTokens(token ?? ""), fetch, wait);
    const request = requester(send);
    return {
        ...reading(request),
        ...changing(request),
        ...files(send, request),
        ...follower(send, wait),
        lists: lists(request),
        labels: labels(request),
        tokens: accessTokens(request),
        account: account(send, request),
        auth: signIn(send, session),
        request,
    };
}

export { TaskApiError, taskApi };
