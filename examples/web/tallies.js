// How many open tasks there are at each place of the side bar.
import { OPEN } from "./views.js";
import { dueDay, isOpen, today, zone } from "./words.js";

// An answer and the stream say the same, so it is counted a moment later. While changes follow fast, it is counted less often.
const SOON_MS = 50;
const SHORTEST_MS = 250;
const LONGEST_MS = 2000;
const FEW = 25; // tasks that are due: so many are looked at, of more only the number is asked for

const openOf = ({ todo, in_progress: begun }) => todo + begun;
const isLate = (task) => dueDay(task) < today();
const openIn = (lists) => lists.reduce((sum, list) => sum + openOf(list.counts), 0);

// Where the feed is now, as `page.since`. All that is listed after this is followed from there, so no change falls in
// between. An app that keeps a copy of the tasks keeps its sync token, too, and goes on from there.
export const beginning = (tasks, signal) => tasks.list({ limit: 1, include_counts: true }, { signal });

// Where a task counts: it is open there.
function placesOf(task) {
  if (!task?.id || !isOpen(task)) return [];
  const day = dueDay(task);
  const planned = !day ? [] : day > today() ? ["upcoming"] : day < today() ? ["today", "late"] : ["today"];
  return ["all", task.list_id ? `list/${task.list_id}` : "inbox", ...planned];
}

export class Tallies {
  // `on` has learned(lists), counted(counts), hasArchived() and failed(error).
  constructor(tasks, on) {
    Object.assign(this, { tasks, on, timer: null, isCounting: false, last: 0, pause: 0, found: {} });
  }

  async count(signal, given = null) {
    const lists = (query) => this.tasks.lists.list({ include_counts: true, ...query }, { signal });
    const [all, active, archived, due, upcoming] = await Promise.all([
      given ?? beginning(this.tasks, signal),
      lists(),
      given || this.on.hasArchived() ? lists({ archived: true }) : [],
      this.countDue(signal),
      this.total({ due_after: today() }, signal),
    ]);
    this.last = Date.now();
    this.on.learned([...active, ...archived]);
    const open = openOf(all.page.counts);
    const isEmpty = Object.values(all.page.counts).every((number) => number === 0);
    const inbox = Math.max(0, open - openIn([...active, ...archived]));
    const ofLists = Object.fromEntries([...active, ...archived].map((list) => [`list/${list.id}`, openOf(list.counts)]));
    const found = { ...due, upcoming, inbox, all: open, isEmpty, ...ofLists };
    this.found = found;
    this.on.counted(found);
    return found;
  }

  // What is done here counts at once. The service has the last word a moment later.
  adjust(before, now) {
    for (const place of placesOf(before)) this.found[place] = Math.max(0, (this.found[place] ?? 0) - 1);
    for (const place of placesOf(now)) this.found[place] = (this.found[place] ?? 0) + 1;
    this.found.isEmpty &&= !now;
    this.on.counted(this.found);
  }

  async countDue(signal) {
    const query = { limit: FEW, include_total: true, status: OPEN, sort: "due", due_before: today(1), timezone: zone() };
    const { tasks, page: { total } } = await this.tasks.list(query, { signal });
    const isAll = total <= FEW;
    const late = isAll ? tasks.filter(isLate).length : await this.total({ due_before: today() }, signal);
    return { late, today: total };
  }

  async total(query, signal) {
    const found = await this.tasks.list({ limit: 1, include_total: true, status: OPEN, timezone: zone(), ...query }, { signal });
    return found.page.total;
  }

  // Something has changed.
  soon(signal) {
    if (this.timer || signal.aborted) return;
    const calm = Date.now() - this.last;
    this.pause = calm > LONGEST_MS ? 0 : Math.min(LONGEST_MS, Math.max(SHORTEST_MS, 2 * this.pause));
    this.timer = setTimeout(async () => {
      this.timer = null;
      if (this.isCounting) return this.soon(signal);
      this.isCounting = true;
      await this.count(signal).catch((problem) => signal.aborted || this.on.failed(problem));
      this.isCounting = false;
    }, Math.max(SOON_MS, this.pause - calm));
  }
}
