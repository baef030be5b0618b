// Changes on their way to the page: from answers, and from the stream.

export const MOST_IDS = 100; // that a listing takes
export const TYPES = "task,list"; // of the changes that the page follows

// What has changed along with another task is in no answer, and the stream may take its time, or be down.
export async function reread(tasks, ids, found) {
  for (let start = 0; start < ids.length; start += MOST_IDS) {
    for (const task of (await tasks.list({ ids: ids.slice(start, start + MOST_IDS) })).tasks) found(task);
  }
}

// A page of a listing, and `next`, which fetches the page after it, if there is one.
export async function pageOf(tasks, query, options) {
  const { tasks: found, page } = await tasks.list(query, options);
  return { found, next: page.next_cursor && (() => pageOf(tasks, { ...query, cursor: page.next_cursor }, options)) };
}

export class Arrivals {
  // `on` has ready(), which waits for what is listed; filters(), those of now; settled(ids, fitting), which takes the ids
  // that have arrived, and the tasks among them that fit; and failed(error).
  constructor(tasks, on) {
    Object.assign(this, { tasks, on });
    this.arrived = new Map(); // changes that are not on the page yet, by id; null: the task was deleted
    this.settling = null; // until all that has arrived is on the page
  }

  // Takes the id of a task and the task, or null if it was deleted. Answers and the stream overtake each other: the
  // revision tells which is newer.
  arrive(id, task) {
    if (!(this.arrived.get(id)?.revision > task?.revision)) this.arrived.set(id, task);
    return (this.settling ??= this.settle());
  }

  // Puts what has arrived on the page. Only the service can tell what fits the filters, so it is asked once for all
  // changes that arrive while it answers.
  async settle() {
    try {
      while (this.arrived.size > 0) {
        await this.on.ready();
        const used = this.on.filters();
        const batch = new Map([...this.arrived].slice(0, MOST_IDS));
        for (const id of batch.keys()) this.arrived.delete(id);
        const fitting = await this.whichFit(batch, used);
        if (used === this.on.filters()) this.on.settled([...batch.keys()], fitting); // else all is listed anew, with these
      }
    } catch (problem) {
      this.on.failed(problem);
    } finally {
      this.settling = null;
    }
  }

  async whichFit(batch, used) {
    const living = [...batch.values()].filter(Boolean);
    const isPlain = Object.keys(used).length === 0 || living.length === 0;
    const ids = living.map((task) => task.id);
    const found = isPlain ? living : (await this.tasks.list({ ...used, ids })).tasks;
    return new Map(found.map((task) => [task.id, task]));
  }
}
