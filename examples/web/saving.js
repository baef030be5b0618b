// Saves what is typed into the panel of a task, and loses none of it: until it is stored, it is kept as a draft that survives
// a reload. Only what was typed is sent, and only if nobody has changed the same part meanwhile.
import { PARTS } from "./words.js";

const DRAFTS = "task-api-drafts"; // in sessionStorage, which ends with the window

export const forgetDrafts = () => sessionStorage.removeItem(DRAFTS);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

// What a task has in a part, such as its due and its start.
const partOf = (task, part) => Object.fromEntries(PARTS[part].fields.map((name) => [name, task[name]]));
const holds = (task, wanted) => Object.keys(wanted).every((name) => name === "timezone" || same(wanted[name], task[name]));

export class Saver {
  // `on` has changed(task), stated(id) when the state of a draft is another, and signedOut(problem).
  constructor(tasks, on) {
    Object.assign(this, { tasks, on });
    // By id: what was typed, by part; the task as it was seen when it was typed; and what has come of it.
    this.drafts = new Map(Object.entries(JSON.parse(sessionStorage.getItem(DRAFTS) ?? "{}")));
    this.busy = new Set();
  }

  draft(id) {
    return this.drafts.get(id);
  }

  has(id) {
    return this.drafts.has(id);
  }

  isBusy(id) {
    return this.busy.has(id);
  }

  store() {
    sessionStorage.setItem(DRAFTS, JSON.stringify(Object.fromEntries(this.drafts)));
  }

  // A part of a task has been typed. `wanted` is what it should be, as fields of the task.
  type(task, part, wanted) {
    const draft = this.draft(task.id) ?? { typed: {}, seen: task };
    draft.typed[part] = wanted;
    if (holds(draft.seen, wanted) && !this.isBusy(task.id)) delete draft.typed[part];
    delete draft.problem;
    if (Object.keys(draft.typed).length > 0) this.drafts.set(task.id, draft);
    else this.drafts.delete(task.id);
    this.store();
    this.on.stated(task.id);
  }

  // A task is another one now, by an answer or by the stream. What was typed stays; where nobody else has changed the same
  // part, it is about the task as it is now.
  arrived(task) {
    const draft = this.draft(task.id);
    if (!draft || this.isBusy(task.id) || draft.seen.revision >= task.revision) return;
    this.meet(draft, task);
    this.store();
    this.on.stated(task.id);
  }

  meet(draft, now) {
    if (clashes(draft, now).length > 0) draft.theirs = now;
    else draft.seen = now;
  }

  async save(id) {
    const draft = this.draft(id);
    if (!draft || this.isBusy(id) || draft.theirs || draft.problem) return;
    this.busy.add(id);
    this.on.stated(id);
    await this.send(id, draft, { ...draft.typed });
    this.busy.delete(id);
    this.store();
    this.on.stated(id);
    // Something was typed meanwhile, or what was typed is about the task as it is now.
    if (this.has(id) && !draft.problem && !draft.theirs) await this.save(id);
  }

  async send(id, draft, sent) {
    try {
      const task = await this.tasks.update(id, Object.assign({}, ...Object.values(sent)), { ifMatch: draft.seen });
      for (const part of Object.keys(sent)) if (same(draft.typed[part], sent[part])) delete draft.typed[part];
      draft.seen = task;
      if (Object.keys(draft.typed).length === 0) this.drafts.delete(id);
      this.on.changed(task);
    } catch (problem) {
      this.refused(draft, problem, same(sent, draft.typed));
    }
  }

  // If something else has been typed meanwhile, that is tried next.
  refused(draft, problem, isAllTyped) {
    const { task: now } = problem;
    if (problem.status === 401) this.on.signedOut(problem);
    const { message, code, details, requestId, status } = problem; // of an error, a copy as JSON would have less
    if (!now && isAllTyped) draft.problem = { message, code, details, requestId, status };
    if (!now) return;
    this.meet(draft, now);
    this.on.changed(now);
  }

  // The service answers again. What it has refused waits for its author.
  saveAll() {
    for (const [id, { problem }] of this.drafts) {
      if (!problem || problem.status === 0 || problem.status >= 429) this.retry(id);
    }
  }

  retry(id) {
    delete this.draft(id).problem;
    this.save(id);
  }

  // It may have changed once more, so it is asked about this state of theirs.
  keepMine(id) {
    const draft = this.draft(id);
    draft.seen = draft.theirs;
    delete draft.theirs;
    return this.save(id);
  }

  drop(id) {
    this.drafts.delete(id);
    this.store();
    this.on.stated(id);
  }
}

// The parts that were typed here and changed elsewhere, to something else.
function clashes({ typed, seen }, now) {
  return Object.keys(typed).filter((part) => !same(partOf(seen, part), partOf(now, part)) && !holds(now, typed[part]));
}
