// What programs do with the client: node client_calls.mjs NAME ADDRESS TOKEN prints what came of it, as JSON.
import { getEventListeners } from "node:events";
import { TaskApiError, taskApi } from "./task-api.js";

const [name, address, token] = process.argv.slice(2);
const asked = []; // each request, as its method and its path
const fetch = (to, options) => {
  asked.push(`${options.method} ${new URL(to).pathname}`);
  return globalThis.fetch(to, options);
};
const wait = (milliseconds) => new Promise((resume) => setTimeout(resume, Math.min(milliseconds, 100)));
const api = taskApi(address, token, { fetch, wait });
const titles = (tasks) => tasks.map((task) => task.title);
const problemOf = (call) => call.then(() => null, ({ name, code, message }) => ({ name, code, message }));

const named = (name, text) => Object.assign(new Blob([text]), { name }); // Node.js 18 has no File

const uses = {
  // Every call of the client once, in an order in which each succeeds.
  async everyCall() {
    const milk = await api.create({ title: "Buy milk", labels: ["errand"] });
    const tea = await api.create({ title: "Buy tea", parent_id: milk.id });
    const list = await api.lists.create({ name: "Home" });
    const other = await api.lists.create({ name: "Work" });
    await api.update(milk.id, { list_id: list.id });
    const found = {
      below: titles((await api.subtasks(milk.id, { limit: 5 })).tasks),
      got: (await api.get(milk.id, { include: "subtask_counts" })).subtask_counts,
      toggled: [(await api.toggle(tea.id)).completed, (await api.toggle(tea.id)).completed],
      completed: (await api.complete(tea.id)).status,
      counts: await api.counts({ labels: ["errand"] }),
      moved: (await api.move(milk.id)).id === milk.id,
      lists: (await api.lists.list({ include_counts: true })).map((each) => [each.name, each.counts.todo]),
      list: (await api.lists.move(other.id, { before: list.id })).name,
      labels: (await api.labels.list()).map((each) => each.name),
      label: (await api.labels.put("home", { color: "#228b22" })).color,
      renamed: (await api.labels.update("home", { name: "house" })).name,
      token: (await api.tokens.create({ name: "Backup", scopes: ["tasks:read"], expires_in_days: 1 })).token.slice(0, 3),
      tokens: (await api.tokens.list()).length,
      account: (await api.account.update({ timezone: "Europe/Berlin" })).timezone,
      imported: (await api.importFile(named("tasks.csv", "title\nBuy rice\n"))).created,
      exported: (await (await api.exportFile({ format: "csv", list_id: list.id })).text()).split("\r\n").length,
      everything: (await (await api.account.export()).text()).includes('"Buy rice"'),
      batch: (await api.batch([{ op: "complete", id: milk.id }])).map((each) => each.status),
    };
    const [{ id }] = await api.tokens.list();
    for (const call of [api.tokens.remove(id), api.labels.remove("house"), api.remove(milk.id)]) await call;
    found.restored = (await api.restore(milk.id)).title;
    found.trashed = (await api.undo(milk.id)).deleted_at !== null;
    found.undone = (await api.undo(milk.id)).title;
    const requestId = `edit-${milk.id}`;
    await api.update(milk.id, { title: "Buy oat milk" }, { headers: { "X-Request-ID": requestId } });
    found.changes = await api.undoRequest(requestId);
    found.events = (await api.activity({ kind: "task", limit: 1 })).events.map((event) => event.before);
    found.page = (await api.activityOf(milk.id, { verb: "created", limit: 1 })).page.has_more;
    await api.lists.remove(list.id, { tasks: "inbox" });
    found.back = (await api.lists.restore(list.id)).name;
    await api.lists.update(list.id, { archived: true });
    await api.lists.get(list.id);
    const me = await api.account.get();
    for await (const change of api.changes()) {
      found.change = change.type;
      break;
    }
    for await (const change of api.changes({ pollEvery: 10 })) {
      found.polled = change.type;
      break;
    }
    await api.account.erase(me.id);
    return found;
  },

  // What a cache or a page of a server does with a result.
  async plain() {
    await api.create({ title: "Buy milk" });
    const found = await api.list({ include_counts: true });
    return [structuredClone(found), JSON.parse(JSON.stringify(found)), { ...found }].map((copy) => [
      titles(copy.tasks), copy.page.counts.todo, copy.page.next_cursor, Object.getOwnPropertyNames(found.tasks).length,
    ]);
  },

  async all() {
    await api.batch(Array.from({ length: 7 }, (_, number) => ({ op: "create", data: { title: `task ${number}` } })));
    const every = [];
    for await (const task of api.all({ sort: "title", limit: 3 })) every.push(task.title);
    const query = api.all({ sort: "title", limit: 3 });
    const before = asked.length;
    const five = await query.toArray({ limit: 5 });
    return {
      every, five: titles(five), pages: asked.length - before, none: await query.toArray({ limit: 0 }),
      again: titles(await query.toArray({ limit: 100 })).length, tooMany: (await problemOf(query.toArray({ limit: 10_001 }))).name,
    };
  },

  // Whatever is called with a signal leaves nothing behind at it.
  async listeners() {
    const stop = new AbortController();
    const { signal } = stop;
    const left = () => getEventListeners(signal, "abort").length;
    await api.create({ title: "Buy milk" });
    for (let number = 0; number < 12; number += 1) await api.list({}, { signal });
    const afterCalls = left();
    const waiting = taskApi(address, token, { fetch: () => Promise.reject(new TypeError("offline")) });
    const failed = await problemOf(waiting.list({}, { signal }));
    const afterWaits = left();
    for await (const _ of api.changes({ signal })) break;
    const end = api.subscribe(() => {}, { signal });
    end();
    await until(() => left() === 0);
    return { afterCalls, failed: failed.code, afterWaits, atEnd: left() };
  },

  async aborted() {
    const stop = new AbortController();
    const during = problemOf(api.list({}, { signal: stop.signal }));
    stop.abort();
    const lost = taskApi(address, token, { fetch: () => Promise.reject(new TypeError("offline")) });
    const later = new AbortController();
    const waiting = problemOf(lost.list({}, { signal: later.signal }));
    setTimeout(() => later.abort(), 50);
    return [(await during).name, (await waiting).name, (await problemOf(api.list({}, { signal: AbortSignal.abort() }))).name];
  },

  async subscribe() {
    const seen = [];
    const started = await api.list({ limit: 1 });
    const { since } = started.page;
    const stop = api.subscribe(({ type, task, list, deleted }) => seen.push([type, task?.title ?? list?.name ?? deleted]), {
      since, types: ["task", "list"],
    });
    await api.create({ title: "first" });
    const list = await api.lists.create({ name: "Home" });
    await until(() => seen.length === 2);
    await api.lists.remove(list.id);
    await until(() => seen.length === 3);
    stop();
    await api.create({ title: "unseen" });
    const polled = [];
    const end = api.subscribe(({ task }) => polled.push(task?.title), { since, pollEvery: 20 });
    await until(() => polled.includes("unseen"));
    await api.create({ title: "last" });
    await until(() => polled.includes("last"));
    end();
    const gone = await new Promise((resolve) => api.subscribe(() => {}, { since: "AAAAAAAPQkA9D7biRDI", onError: resolve }));
    return { seen: seen.map(([type, what]) => [type, what === list.id ? "the list" : what]), polled, gone: gone.code };
  },

  // A toggle and a restore whose answers are lost.
  async lostAnswers() {
    const task = await api.create({ title: "Buy milk" });
    const drop = { next: true };
    const lossy = taskApi(address, token, {
      wait,
      async fetch(to, options) {
        const answer = await globalThis.fetch(to, options);
        if (!drop.next) return answer;
        drop.next = false;
        throw new TypeError("lost");
      },
    });
    const toggled = await lossy.toggle(task.id);
    drop.next = true;
    await lossy.remove(task.id);
    drop.next = true;
    const restored = await lossy.restore(task.id);
    drop.next = true;
    const edited = await lossy.update(task.id, { labels: ["a"] }, { ifMatch: restored });
    return [toggled.completed, restored.title, edited.labels, (await api.list()).tasks.length];
  },

  // Another copy of this file, as a CommonJS program has it.
  async anotherCopy() {
    const other = await import("./another.js");
    const problem = await other.taskApi(address, token, { fetch }).get("a").catch((error) => error);
    return [problem instanceof TaskApiError, problem instanceof other.TaskApiError, new Error("a") instanceof TaskApiError];
  },

  async retryAfterADate() {
    const headers = new Headers({ "Retry-After": new Date(Date.now() + 30_000).toUTCString() });
    const { retryAfter } = new TaskApiError(503, null, headers);
    return [retryAfter > 25 && retryAfter <= 30, new TaskApiError(503, null, new Headers()).retryAfter];
  },
};

async function until(holds) {
  while (!holds()) await new Promise((resume) => setTimeout(resume, 10));
}

const got = await uses[name]();
console.log(JSON.stringify({ got, asked }));
