// Changes on their way to the board: from answers, and from the stream.


const MOST_IDS = 100; // that a listing takes
export const TYPES = "task,list"; // of the changes that the page follows

// Where the feed is now. An app that keeps a copy of the tasks keeps its sync token, too, and goes on from there.
export async function latest(tasks) {
  const { page } = await tasks.request(`/api/changes?${new URLSearchParams({ types: TYPES, since: "now" })}`);
  return page.next_since;
}

// What has changed along with another task is in no answer, and the stream may take its time, or be down.
export async function reread(tasks, ids, found) {
  for (let start = 0; start < ids.length; start += MOST_IDS) {
    for (const task of await tasks.list({ ids: ids.slice(start, start + MOST_IDS).join() })) found(task);
  }
}

// `ready` waits for what is listed; `filters` returns those of now; `settled` takes the ids that have arrived, and the
// tasks among them that fit. Returns what takes the id of a task and the task, or null if it was deleted.
export function makeArrivals(tasks, { ready, filters, settled, failed }) {
  const arrived = new Map(); // changes that are not on the board yet, by id; null: the task was deleted
  let settling = null; // until all that has arrived is on the board
  return arrive;

  // Answers and the stream overtake each other: the revision tells which is newer.
  function arrive(id, task) {
    if (!(arrived.get(id)?.revision > task?.revision)) arrived.set(id, task);
    return (settling ??= settle());
  }

  // Puts what has arrived on the board. Only the service can tell what fits the filters, so it is asked once for all
  // changes that arrive while it answers.
  async function settle() {
    try {
      while (arrived.size > 0) {
        await ready();
        const used = filters();
        const batch = new Map([...arrived].slice(0, MOST_IDS));
        for (const id of batch.keys()) arrived.delete(id);
        const fitting = await whichFit(batch, used);
        if (used === filters()) settled([...batch.keys()], fitting); // else the columns are listed anew, with these changes
      }
    } catch (problem) {
      failed(problem);
    } finally {
      settling = null;
    }
  }

  async function whichFit(batch, used) {
    const living = [...batch.values()].filter(Boolean);
    const isPlain = Object.keys(used).length === 0 || living.length === 0;
    const found = isPlain ? living : await tasks.list({ ...used, ids: living.map((task) => task.id).join() });
    return new Map(found.map((task) => [task.id, task]));
  }
}

// How many subtasks each task has, and how many of these are done. A listing says it; what has changed is asked for anew.
const SOON_MS = 150; // changes often come together

// `on` has isShown(id); came(task), for subtasks that were fetched; counted(id), when a count has changed; failed(error).
export function makeCounts(tasks, on) {
  const counts = new Map(); // by the id of the task above
  const asked = new Set(); // tasks whose subtasks are fetched
  const full = new Set(); // tasks whose subtasks are all shown, so that they are counted there
  const stale = new Set();
  let timer = null;
  return { learn, changed, countsOf, fetch, renew, clear };

  function learn(page) {
    for (const { id, subtask_counts: each } of page) if (each) counts.set(id, each);
  }

  function countsOf({ id }, items) {
    const shown = { total: items.length, done: items.filter((item) => item.dataset.status === "done").length };
    if (full.has(id)) return shown;
    return counts.get(id) ?? shown;
  }

  // A task has been changed, or has come or gone: those above it have other counts.
  function changed(before, now) {
    const isSame = before && now && before.parent_id === now.parent_id && before.status === now.status;
    if (isSame) return;
    for (const id of new Set([before?.parent_id, now?.parent_id])) if (on.isShown(id) && !full.has(id)) stale.add(id);
    if (stale.size > 0) timer ??= setTimeout(recount, SOON_MS);
  }

  async function recount() {
    timer = null;
    const ids = [...stale].slice(0, MOST_IDS);
    for (const id of ids) stale.delete(id);
    try {
      learn(await tasks.list({ ids: ids.join(), include: "subtask_counts" }));
      for (const id of ids) on.counted(id);
    } catch (problem) {
      on.failed(problem);
    }
    if (stale.size > 0) timer ??= setTimeout(recount, SOON_MS);
  }

  // Fetches all subtasks of a task, whatever their status, once.
  async function fetch(id) {
    if (asked.has(id)) return;
    asked.add(id);
    try {
      const found = await tasks.request(`/api/tasks/${id}/subtasks?include=subtask_counts`);
      learn(found);
      await Promise.all(found.map(on.came));
      full.add(id);
      on.counted(id);
    } catch (problem) {
      on.failed(problem);
    }
  }

  // All is listed anew.
  function renew() {
    for (const each of [asked, full]) each.clear();
  }

  function clear() {
    for (const each of [counts, asked, full, stale]) each.clear();
  }
}
