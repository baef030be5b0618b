// The calls about tasks.
import type { ActivityEvent, ActivityPage, ImportReport, Query, Task } from "./contract.js";
import type { TaskApiError } from "./error.js";
import type { Send, Sending } from "./send.js";
import type { Activity, AllTasks, ChangeOptions, Options, TaskApi, TaskList } from "./types.js";

const PAGE = 1000; // what the service gives at most
const MOST = 10_000;

export type Request = <T>(path: string, options?: Sending) => Promise<T>;

interface Listed {
  data: Task[];
  page: TaskList["page"];
}

/** What is in `data`, or the whole answer where there is something beside it. */
export const requester = (send: Send): Request => async <T>(path: string, options?: Sending) => {
  const content = await send<{ data?: unknown; page?: unknown } | undefined>(path, options);
  return (content?.page ? content : (content?.data ?? content)) as T;
};

/** With a key, the service carries a request out once, however often it arrives. */
export const once = <O extends Options>(options?: O): O & { method: "POST"; headers: Record<string, string> } => ({
  ...(options as O), method: "POST", headers: { "Idempotency-Key": newKey(), ...options?.headers },
});

// A page that came over plain HTTP from another machine has no randomUUID.
const newKey = (): string => globalThis.crypto?.randomUUID?.() ?? `${Date.now()}-${Math.random()}-${Math.random()}`;

/** The query of a path, without what is null or undefined. */
export function queryOf(query: object = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return given.length > 0 ? `?${new URLSearchParams(given)}` : "";
}

/** A deletion whose answer was lost has succeeded, if the next try finds nothing. */
export const unlessGone = (problem: TaskApiError): void => {
  if (!problem.unsure || problem.status !== 404) throw problem;
};

const at = (id: string): string => `/api/tasks/${encodeURIComponent(id)}`;

export function reading(request: Request) {
  async function page(path: string, query: object | undefined, options?: Options): Promise<TaskList> {
    const { data, page } = await request<Listed>(path + queryOf(query), options);
    return { tasks: data, page };
  }
  async function events(path: string, query: object | undefined, options?: Options): Promise<Activity> {
    const { data, page } = await request<{ data: ActivityEvent[]; page: ActivityPage }>(path + queryOf(query), options);
    return { events: data, page };
  }
  const list = (query: Query = {}, options?: Options): Promise<TaskList> => page("/api/tasks", query, options);
  function all(query: Omit<Query, "cursor"> = {}, options?: Options): AllTasks {
    async function* each(): AsyncGenerator<Task, void, void> {
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const found = await list({ limit: PAGE, ...query, cursor }, options);
        yield* found.tasks;
        cursor = found.page.next_cursor;
      }
    }
    async function toArray({ limit }: { limit: number }): Promise<Task[]> {
      if (!(limit >= 0 && limit <= MOST)) throw new RangeError(`The limit is a number up to ${MOST}: read more in a loop.`);
      const found: Task[] = [];
      if (limit > 0) for await (const task of each()) if (found.push(task) >= limit) break;
      return found;
    }
    return { [Symbol.asyncIterator]: each, toArray };
  }
  return {
    list,
    all,
    counts: async (query, options) => (await list({ ...query, limit: 1, include_counts: true }, options)).page.counts!,
    get: (id, { include, ...options } = {}) => request(at(id) + queryOf({ include }), options),
    subtasks: (id, query, options) => page(`${at(id)}/subtasks`, query, options),
    activity: (query, options) => events("/api/activity", query, options),
    activityOf: (id, query, options) => events(`${at(id)}/activity`, query, options),
  } satisfies Partial<TaskApi>;
}

export function changing(request: Request) {
  async function update(id: string, changes: object, options?: ChangeOptions): Promise<Task> {
    try {
      return await request<Task>(at(id), { ...options, method: "PATCH", body: changes });
    } catch (problem) {
      const { unsure, task } = problem as TaskApiError;
      if (!unsure || !task || !has(task, changes)) throw problem;
      return task; // the answer to the first try was lost, and the next one met the task as the first had left it
    }
  }
  return {
    update,
    create: (fields, options) => request("/api/tasks", { ...once(options), body: fields }),
    complete: (id, completed = true, { cascade, ...options } = {}) =>
      request(`${at(id)}/complete`, { ...options, method: "PATCH", body: { completed, cascade } }),
    toggle: (id, options) => request(`${at(id)}/complete`, { ...once(options), method: "PATCH" }),
    move: (id, place = {}, options) => request(`${at(id)}/move`, { ...once(options), body: place }),
    remove: (id, { permanent, ...options } = {}) =>
      request<void>(at(id) + queryOf({ permanent }), { ...options, method: "DELETE" }).catch(unlessGone),
    restore: (id, options) => request(`${at(id)}/restore`, once(options)),
    undo: (id, options) => request(`${at(id)}/undo`, once(options)),
    undoRequest: (requestId, options) => request("/api/undo", { ...once(options), body: { request_id: requestId } }),
    batch: (operations, { atomic = true, ...options } = {}) =>
      request("/api/tasks/batch", { ...once(options), body: { operations, atomic } }),
  } satisfies Partial<TaskApi>;
}

const has = (task: Task, changes: object): boolean =>
  Object.entries(changes).every(([name, value]) => JSON.stringify(task[name as keyof Task]) === JSON.stringify(value));

const TYPES: Record<string, string> = { json: "application/json", csv: "text/csv", ics: "text/calendar" };

// Browsers do not know every type, but a file has a name.
function typeOf(file: Blob | string): string {
  const { type = "", name = "" } = typeof file === "string" ? {} : (file as Partial<File>);
  return TYPES[name.split(".").pop() ?? ""] || type || "application/jsonl";
}

export function files(send: Send, request: Request) {
  return {
    importFile(file, { type = typeOf(file), ...options } = {}) {
      const { headers, ...rest } = once(options);
      const sent = { ...rest, headers: { "Content-Type": type, ...headers }, body: file, isLong: true };
      return request<ImportReport>("/api/tasks/import", sent);
    },
    exportFile: ({ signal, headers, ...query } = {}) =>
      send(`/api/tasks/export${queryOf(query)}`, { signal, headers, isLong: true }, (answer) => answer.blob()),
  } satisfies Partial<TaskApi>;
}
