// How many subtasks each task has, and how many of these are done. A listing says it; what has changed is asked for anew.
import { MOST_IDS } from "./arrivals.js";

const SOON_MS = 150; // changes often come together

export class SubtaskCounts {
  // `on` has isShown(id); came(task), for subtasks that were fetched; counted(id), when a count has changed; failed(error).
  constructor(tasks, on) {
    Object.assign(this, { tasks, on, timer: null });
    this.counts = new Map(); // by the id of the task above
    this.asked = new Set(); // tasks whose subtasks are fetched
    this.full = new Set(); // tasks whose subtasks are all shown, so that they are counted there
    this.stale = new Set();
  }

  learn(page) {
    for (const { id, subtask_counts: each } of page) if (each) this.counts.set(id, each);
  }

  countsOf({ id }, items) {
    const shown = { total: items.length, done: items.filter((item) => item.dataset.status === "done").length };
    return this.full.has(id) ? shown : this.counts.get(id) ?? shown;
  }

  // A task has been changed, or has come or gone: those above it have other counts.
  changed(before, now) {
    const isSame = before && now && before.parent_id === now.parent_id && before.status === now.status;
    if (isSame) return;
    const above = new Set([before?.parent_id, now?.parent_id]);
    for (const id of above) if (this.on.isShown(id) && !this.full.has(id)) this.stale.add(id);
    this.soon();
  }

  soon() {
    if (this.stale.size > 0) this.timer ??= setTimeout(() => this.recount(), SOON_MS);
  }

  async recount() {
    this.timer = null;
    const ids = [...this.stale].slice(0, MOST_IDS);
    for (const id of ids) this.stale.delete(id);
    try {
      this.learn((await this.tasks.list({ ids, include: "subtask_counts" })).tasks);
      for (const id of ids) this.on.counted(id);
    } catch (problem) {
      this.on.failed(problem);
    }
    this.soon();
  }

  // Fetches all subtasks of a task, whatever their status, once.
  async fetch(id) {
    if (this.asked.has(id)) return;
    this.asked.add(id);
    try {
      const { tasks: found } = await this.tasks.subtasks(id, { include: "subtask_counts" });
      this.learn(found);
      await Promise.all(found.map(this.on.came));
      this.full.add(id);
      this.on.counted(id);
    } catch (problem) {
      this.on.failed(problem);
    }
  }

  // All is listed anew.
  renew() {
    for (const each of [this.asked, this.full]) each.clear();
  }

  clear() {
    for (const each of [this.counts, this.asked, this.full, this.stale]) each.clear();
  }
}
