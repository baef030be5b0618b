// Changes on their way to the board: from answers, and from the stream.
const MOST_IDS = 100; // that a listing takes
export const TYPES = "task,list"; // of the changes that the page follows

// The feed begins with all tasks that there are. An app that keeps a copy of them keeps its sync token, too.
export async function latest(tasks) {
  for (let since; ; ) {
    const query = new URLSearchParams({ types: TYPES, ...(since && { since }) });
    const { page } = await tasks.request(`/api/changes?${query}`);
    since = page.next_since;
    if (!page.has_more) return since;
  }
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
  let isSettling = false;
  return arrive;

  // Answers and the stream overtake each other: the revision tells which is newer.
  function arrive(id, task) {
    if (!(arrived.get(id)?.revision > task?.revision)) arrived.set(id, task);
    return settle();
  }

  // Puts what has arrived on the board. Only the service can tell what fits the filters, so it is asked once for all
  // changes that arrive while it answers.
  async function settle() {
    if (isSettling) return;
    isSettling = true;
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
      isSettling = false;
    }
  }

  async function whichFit(batch, used) {
    const living = [...batch.values()].filter(Boolean);
    const isPlain = Object.keys(used).length === 0 || living.length === 0;
    const found = isPlain ? living : await tasks.list({ ...used, ids: living.map((task) => task.id).join() });
    return new Map(found.map((task) => [task.id, task]));
  }
}
