// The client under what pages are made with: node client_frameworks.mjs NAME ADDRESS TOKEN.
import { configureStore } from "@reduxjs/toolkit";
import { createApi, fakeBaseQuery } from "@reduxjs/toolkit/query";
import { dehydrate, hydrate, InfiniteQueryObserver, MutationObserver, QueryClient } from "@tanstack/react-query";
import { Window } from "happy-dom";
import { createElement, StrictMode, useEffect, useState } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { taskApi } from "./task-api.js";
import { useTasks } from "./use-tasks.js";

const [name, address, token] = process.argv.slice(2);
const asked = [];
const api = taskApi(address, token, {
  fetch: (to, options) => {
    asked.push(`${options.method} ${new URL(to).pathname}`);
    return globalThis.fetch(to, options);
  },
});
const complaints = [];
console.error = (...texts) => complaints.push(texts.join(" "));
const titles = ({ tasks }) => tasks.map((task) => task.title);
const add = (...names) => api.batch(names.map((title) => ({ op: "create", data: { title } })));

async function until(holds) {
  while (!holds()) await new Promise((resume) => setTimeout(resume, 10));
}

const uses = {
  async refetch() {
    await add("a", "b");
    const client = new QueryClient();
    const options = { queryKey: ["tasks"], queryFn: ({ signal }) => api.list({ sort: "title", limit: 1 }, { signal }) };
    const first = await client.fetchQuery(options);
    const again = await client.fetchQuery(options); // nothing has changed: it keeps parts of the first
    await api.update(first.tasks[0].id, { description: "edited" });
    const changed = await client.fetchQuery(options);
    return [first, again, changed].map((each) => [titles(each), each.page.has_more, Boolean(each.page.next_cursor)]);
  },

  async infinite() {
    await add("a", "b", "c", "d", "e");
    const observer = new InfiniteQueryObserver(new QueryClient(), {
      queryKey: ["all"], initialPageParam: null, getNextPageParam: ({ page }) => page.next_cursor,
      queryFn: ({ pageParam: cursor, signal }) => api.list({ sort: "title", limit: 2, cursor }, { signal }),
    });
    let { data, hasNextPage } = await observer.refetch();
    while (hasNextPage) ({ data, hasNextPage } = await observer.fetchNextPage());
    const { data: again } = await observer.refetch();
    return [data, again].map((each) => each.pages.map(titles));
  },

  async optimistic() {
    await add("a");
    const client = new QueryClient();
    const options = { queryKey: ["tasks"], queryFn: () => api.list() };
    const { tasks: [task] } = await client.fetchQuery(options);
    const seen = [];
    const rename = new MutationObserver(client, {
      mutationFn: (title) => api.update(task.id, { title }, { ifMatch: task }),
      onMutate: (title) => client.setQueryData(["tasks"], (old) => ({ ...old, tasks: old.tasks.map((each) => ({ ...each, title })) })),
      onError: ({ task: now }) => client.setQueryData(["tasks"], (old) => ({ ...old, tasks: [now] })),
    });
    const look = () => seen.push(titles(client.getQueryData(["tasks"]))[0]);
    const renaming = rename.mutate("b");
    await Promise.resolve();
    look();
    await renaming;
    await rename.mutate("c").catch(({ status }) => seen.push(status)); // it is another one by now
    look();
    return seen;
  },

  async persisted() {
    await add("a");
    const client = new QueryClient();
    await client.prefetchQuery({ queryKey: ["tasks"], queryFn: () => api.list() });
    const other = new QueryClient();
    hydrate(other, JSON.parse(JSON.stringify(dehydrate(client))));
    const found = other.getQueryData(["tasks"]);
    return [titles(found), found.page.has_more];
  },

  // The store of RTK complains of whatever cannot be serialized.
  async redux() {
    await add("a", "b");
    const service = createApi({
      baseQuery: fakeBaseQuery(),
      endpoints: (build) => ({
        tasks: build.query({
          queryFn: (query, { signal }) => api.list(query, { signal }).then((data) => ({ data }), ({ status, code }) => ({ error: { status, code } })),
        }),
      }),
    });
    const store = configureStore({
      reducer: { [service.reducerPath]: service.reducer }, middleware: (get) => get().concat(service.middleware),
    });
    const found = await store.dispatch(service.endpoints.tasks.initiate({ sort: "title" }));
    const wrong = await store.dispatch(service.endpoints.tasks.initiate({ limit: 0 }));
    store.dispatch(service.util.resetApiState());
    return [titles(found.data), found.data.page.limit, wrong.error];
  },

  // What a server component passes to a client component: JSON in the page, of a client that keeps no session.
  async props() {
    await add("<b>a</b>");
    const found = await taskApi(address, token).list();
    const Page = ({ tasks, page }) => createElement("p", null, `${tasks[0].title} ${page.has_more}`);
    const props = JSON.parse(JSON.stringify(structuredClone(found)));
    return [renderToString(createElement(Page, props)), renderToString(createElement(Page, found)) === renderToString(createElement(Page, props))];
  },

  // What React passes to a client component is of plain objects, lists and simple values only; it refuses all others.
  async plain() {
    const made = await api.create({ title: "a", labels: ["home"], due_date: "2026-12-01" });
    const results = {
      made, list: await api.list({ include_total: true }), got: await api.get(made.id), edited: await api.update(made.id, { title: "b" }),
      batch: await add("c"), counts: await api.counts(), lists: await api.lists.list(), labels: await api.labels.list(),
      account: await api.account.get(), tokens: await api.tokens.list(),
    };
    const isPlain = (value) => {
      if (value === null || ["string", "number", "boolean"].includes(typeof value)) return true;
      if (typeof value !== "object" || Object.getOwnPropertySymbols(value).length > 0) return false;
      const isOrdinary = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
      const shown = Object.keys(value).length + (Array.isArray(value) ? 1 : 0); // a list hides its length only
      return isOrdinary && Object.getOwnPropertyNames(value).length === shown && Object.values(value).every(isPlain);
    };
    return Object.keys(results).filter((each) => !isPlain(results[each]));
  },

  // A page that the server has written comes alive in the browser with the props that it was written from.
  async hydration() {
    await add("a", "b");
    const Page = ({ tasks }) => {
      const [isAlive, setAlive] = useState(false);
      useEffect(() => setAlive(true), []);
      return createElement("ul", { title: isAlive ? "alive" : "written" }, tasks.map((task) =>
        createElement("li", { key: task.id, title: task.created_at }, `${task.title} ${task.completed} ${task.due_date}`)));
    };
    const found = await taskApi(address, token).list({ sort: "title" });
    const props = JSON.stringify(found);
    const window = new Window({ url: "http://localhost/" });
    Object.assign(globalThis, { window, document: window.document });
    const place = document.createElement("div");
    place.innerHTML = renderToString(createElement(Page, found));
    const items = () => [...place.querySelectorAll("li")];
    const written = items();
    const mistakes = [];
    const root = hydrateRoot(place, createElement(StrictMode, null, createElement(Page, JSON.parse(props))), {
      onRecoverableError: (problem) => mistakes.push(problem.message),
    });
    await until(() => place.querySelector("ul").title === "alive");
    const isKept = items().every((item, index) => item === written[index]);
    const texts = items().map((item) => item.textContent);
    root.unmount();
    await window.happyDOM.close();
    return [texts, isKept, mistakes];
  },

  async hook() {
    const window = new Window({ url: "http://localhost/" });
    Object.assign(globalThis, { window, document: window.document });
    await add("a");
    let last;
    const query = { sort: "title" };
    const Tasks = () => {
      last = useTasks(api, { ...query });
      return createElement("ul", null, last.tasks.map((task) => createElement("li", { key: task.id }, task.title)));
    };
    const place = document.createElement("div");
    const shown = () => [...place.querySelectorAll("li")].map((item) => item.textContent).join();
    const root = createRoot(place);
    root.render(createElement(StrictMode, null, createElement(Tasks)));
    await until(() => shown() === "a" && asked.includes("GET /api/changes/stream"));
    await add("b"); // elsewhere
    await until(() => shown() === "a,b");
    await last.create({ title: "c" });
    await until(() => shown() === "a,b,c");
    await api.update(last.tasks[0].id, { title: "a, edited elsewhere" });
    await last.update(last.tasks[0], { title: "" });
    await until(() => last.problem !== null && shown() === "a, edited elsewhere,b,c");
    const problem = last.problem.status;
    await last.remove(last.tasks[1]);
    await until(() => shown() === "a, edited elsewhere,c");
    root.unmount(); // then nothing is left, and this program ends
    await window.happyDOM.close();
    return { problem };
  },
};

const got = await uses[name]();
console.log(JSON.stringify({ got, asked, complaints }));
