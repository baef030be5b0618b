// The tasks of a query in React 18 or later, live. Copy it beside task-api.js:
//   const { tasks, isLoading, problem, create, update, remove } = useTasks(api, { status: "todo" });
import { useEffect, useMemo, useState } from "react";

const SOON_MS = 50;

export function useTasks(api, query = {}) {
  const key = JSON.stringify(query); // each render makes a new object
  const [state, setState] = useState({ tasks: [], isLoading: true, problem: null });

  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    let [latest, timer] = [0, null];
    const failed = (problem) => signal.aborted || setState((before) => ({ ...before, isLoading: false, problem }));
    async function load() {
      const mine = ++latest; // an older answer may come later
      const { tasks, page } = await api.list(JSON.parse(key), { signal });
      if (mine === latest && !signal.aborted) setState({ tasks, isLoading: false, problem: null });
      return page.since;
    }
    // Only the service knows what fits the query, so it is asked again: once for changes that arrive together.
    const again = () => {
      timer = null;
      if (!signal.aborted) load().catch(failed);
    };
    const changed = () => (timer ??= setTimeout(again, SOON_MS));
    load().then((since) => api.subscribe(changed, { since, signal, onError: failed })).catch(failed);
    return () => stop.abort(); // StrictMode does so at once, and begins anew
  }, [api, key]);

  const acts = useMemo(() => {
    // Shows what is expected at once, and what the service says as soon as the change arrives.
    async function act(expected, call) {
      setState((before) => ({ ...before, tasks: expected(before.tasks), problem: null }));
      return call.catch(async (problem) => {
        const { tasks } = await api.list(JSON.parse(key)).catch(() => ({ tasks: null }));
        setState((before) => ({ ...before, tasks: tasks ?? before.tasks, problem }));
      });
    }
    return {
      create: (fields) => act((tasks) => tasks, api.create(fields)),
      update: (task, changes) =>
        act((tasks) => tasks.map((each) => (each.id === task.id ? { ...each, ...changes } : each)),
          api.update(task.id, changes, { ifMatch: task })),
      remove: ({ id }) => act((tasks) => tasks.filter((each) => each.id !== id), api.remove(id)),
    };
  }, [api, key]);
  return { ...state, ...acts };
}
