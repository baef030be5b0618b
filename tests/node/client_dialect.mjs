// Pages that were written for other services, unchanged but for their fetch: node client_dialect.mjs NAME ADDRESS TOKEN.
import axios from "axios";
import { axiosAdapter, dialect } from "./dialect.js";

const [name, address, token] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
const asked = [];
const watched = (input, init) => {
  asked.push(`${init?.method ?? "GET"} ${new URL(input).pathname}`);
  return fetch(input, init);
};

const uses = {
  // A page of a Mongo service: bare values, `_id`, camelCase, /toggle, and json() after every answer.
  async mongo() {
    const speak = dialect({
      fetch: watched, address, paths: ["/api/v1/todos"], camelCase: true, toggle: true, empty204: "{}",
      names: { _id: "id", text: "title", isDone: "completed", category: null },
      words: { priority: { urgent: "high", normal: "medium" }, sort: { dueDate: "due" } },
    });
    const call = (path, method = "GET", body = undefined) =>
      speak(`${address}/api/v1/todos${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) }).then((answer) => answer.json());
    const made = await call("", "POST", { text: "Buy milk", dueDate: "2026-12-01", priority: "urgent", category: "x" });
    const toggled = await call(`/${made._id}/toggle`, "PATCH");
    const edited = await call(`/${made._id}`, "PUT", { ...made, text: "Buy oat milk", isDone: false });
    const found = await call("?priority=urgent&sort=dueDate");
    const wrong = await call("", "POST", { text: "" });
    const removed = await call(`/${made._id}`, "DELETE");
    return {
      made: [made.text, made.dueDate, made.priority, made.isDone, "title" in made], toggled: toggled.isDone,
      edited: [edited.text, edited.isDone], found: found.map((each) => each.text), wrong: [wrong.message, wrong.detail === wrong.message], removed,
    };
  },

  // A page that has the user in its paths, a list under `tasks`, pages by number, and a task under `task`.
  async numbered() {
    const speak = dialect({ address, paths: ["/api/{user}/tasks"], list: "tasks", item: "task" });
    const at = (rest) => new URL(`/api/alice/tasks${rest}`, address);
    for (const title of ["a", "b", "c", "d", "e"]) {
      await speak(at("/"), { method: "POST", headers, body: JSON.stringify({ title }) });
    }
    const read = async (query) => (await speak(at(query), { headers })).json();
    const second = await read("?sort=title&page=2&limit=2");
    const skipped = await read("?sort=title&skip=4&limit=10");
    const one = await (await speak(new Request(at(`/${second.tasks[0].id}`), { headers }))).json();
    const changed = await speak(new Request(at(`/${second.tasks[0].id}`), { method: "PATCH", headers, body: JSON.stringify({ title: "z" }) }));
    return {
      second: [second.tasks.map((each) => each.title), second.total], skipped: skipped.tasks.map((each) => each.title),
      one: one.task.title, changed: (await changed.json()).task.title,
    };
  },

  // A page that names its old service in full, toggles by /toggle/{id}, and sends an empty form field for no date.
  async elsewhere() {
    const old = "http://localhost:3000/api/v1/todos";
    const speak = dialect({
      fetch: watched, address, paths: [old], camelCase: true, toggle: true, list: "data",
      words: { status: { pending: "todo", completed: "done" }, due_date: { "": null } },
    });
    const call = (path, method = "GET", body = undefined) =>
      speak(`${old}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) }).then((answer) => answer.json());
    const made = await call("", "POST", { title: "Buy milk", dueDate: "", status: "pending" });
    const toggled = await call(`/toggle/${made.id}`, "PUT");
    const { data: found } = await call("?status=completed");
    return { made: [made.dueDate, made.status], toggled: toggled.status, found: found.length };
  },

  // A page whose service kept the session in a cookie, and put a status around its answers; its fetch is the global one.
  async cookie() {
    const kept = new Map();
    const storage = { get: (key) => kept.get(key), set: (key, value) => kept.set(key, value), remove: (key) => kept.delete(key) };
    const spoil = (text) => JSON.stringify({ ...JSON.parse(text), access_token: "a.b.c" });
    globalThis.fetch = dialect({
      address, paths: ["/toDos"], routes: { "/users": "/api/auth" }, list: "toDos", empty204: '{"status": "success"}', session: storage,
      names: { _id: "id", username: "email", passwordConfirm: null }, words: { status: { "to-do": "todo" } },
      around: (data, { ok }) => ({ status: ok ? "success" : "fail", data, message: data.message }),
    });
    const call = (path, method = "GET", body = undefined) =>
      fetch(address + path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }).then((answer) => answer.json());
    const anna = { username: `anna-${crypto.randomUUID()}@example.com`, password: "seven green bottles" };
    const unknown = await call("/users/login", "POST", anna);
    const registered = await call("/users/register", "POST", { ...anna, passwordConfirm: anna.password });
    const { status, data: made } = await call("/toDos/", "POST", { title: "Buy milk" });
    const edited = await call(`/toDos/${made._id}`, "PATCH", { status: "done" });
    kept.forEach((text, key) => kept.set(key, spoil(text)));
    const found = await call("/toDos/");
    const removed = await call(`/toDos/${made._id}`, "DELETE");
    const left = await call("/users/logout", "POST");
    const [size, refused] = [kept.size, await call("/toDos/")];
    await call("/users/login", "POST", anna);
    const back = await call("/toDos/");
    return {
      unknown: [unknown.status, unknown.message.length > 0], registered: registered.status, made: [status, made.title, made.status],
      edited: [edited.status, edited.data.status], found: found.data.toDos.map((each) => each.title), removed: removed.status,
      left: [left.status, size, refused.status], back: [back.status, back.data.toDos.length],
    };
  },

  // What is none of the service's, or no JSON, passes as it is.
  async untouched() {
    const seen = [];
    const speak = dialect({ address, camelCase: true, fetch: (...request) => (seen.push(request), fetch(...request)) });
    const init = { headers };
    await speak(`${address}/health/live`, init);
    const other = await speak("data:application/json,{}", init);
    const file = await speak(`${address}/api/tasks/export?format=csv`, { headers: { ...headers, "X-Mine": "kept" } });
    return [seen[0][1] === init, seen[1][0], await other.text(), (await file.text()).startsWith("id,"), seen[2][1].headers.get("X-Mine")];
  },

  async throughAxios() {
    const speak = dialect({ address, paths: ["/todos"], names: { done: "completed" }, toggle: true });
    const client = axios.create({ baseURL: `${address}/todos`, adapter: axiosAdapter(speak), headers: { Authorization: `Bearer ${token}` } });
    const { data: made, status } = await client.post("/", { title: "Buy milk" });
    const { data: toggled } = await client.put(`/${made.id}/toggle`);
    const { data: found } = await client.get("", { params: { done: true, q: undefined } });
    const missing = await client.get("/0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f").catch((problem) => problem);
    const stop = new AbortController();
    stop.abort();
    const aborted = await client.get("", { signal: stop.signal }).catch((problem) => problem);
    return {
      made: [status, made.title], toggled: toggled.done, found: found.length, isCancel: axios.isCancel(aborted),
      missing: [axios.isAxiosError(missing), missing.response.status, missing.response.data.message.length > 0],
    };
  },
};

const got = await uses[name]();
console.log(JSON.stringify({ got, asked }));
