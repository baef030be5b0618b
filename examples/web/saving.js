// Saves what is typed into the panel of a task, and loses none of it: until it is stored, it is kept as a draft that survives
// a reload. Only what was typed is sent, and only if nobody has changed the same part meanwhile.
import { PARTS } from "./words.js";

const DRAFTS = "task-api-drafts"; // in sessionStorage, which ends with the window

export const forgetDrafts = () => sessionStorage.removeItem(DRAFTS);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

// What a task has in a part, such as its due and its start.
const partOf = (task, part) => Object.fromEntries(PARTS[part].fields.map((name) => [name, task[name]]));
const holds = (task, wanted) => Object.keys(wanted).every((name) => name === "timezone" || same(wanted[name], task[name]));

// `on` has changed(task), stated(id) when the state of a draft is another, and signedOut(problem).
export function makeSaver(tasks, on) {
  // By id: what was typed, by part; the task as it was seen when it was typed; and what has come of it.
  const drafts = new Map(Object.entries(JSON.parse(sessionStorage.getItem(DRAFTS) ?? "{}")));
  const busy = new Set();
  const draft = (id) => drafts.get(id);
  return { type, save, saveAll, arrived, keepMine, drop, draft, has: (id) => drafts.has(id), isBusy: (id) => busy.has(id) };

  function store() {
    sessionStorage.setItem(DRAFTS, JSON.stringify(Object.fromEntries(drafts)));
  }

  // A part of a task has been typed. `wanted` is what it should be, as fields of the task.
  function type(task, part, wanted) {
    const draft = drafts.get(task.id) ?? { typed: {}, seen: task };
    draft.typed[part] = wanted;
    if (holds(draft.seen, wanted) && !busy.has(task.id)) delete draft.typed[part];
    delete draft.problem;
    if (Object.keys(draft.typed).length > 0) drafts.set(task.id, draft);
    else drafts.delete(task.id);
    store();
    on.stated(task.id);
  }

  // A task is another one now, by an answer or by the stream. What was typed stays; where nobody else has changed the same
  // part, it is about the task as it is now.
  function arrived(task) {
    const draft = drafts.get(task.id);
    if (!draft || busy.has(task.id) || draft.seen.revision >= task.revision) return;
    if (clashes(draft, task).length > 0) draft.theirs = task;
    else draft.seen = task;
    store();
    on.stated(task.id);
  }

  // The parts that were typed here and changed elsewhere, to something else.
  function clashes({ typed, seen }, now) {
    return Object.keys(typed).filter((part) => !same(partOf(seen, part), partOf(now, part)) && !holds(now, typed[part]));
  }

  async function save(id) {
    const draft = drafts.get(id);
    if (!draft || busy.has(id) || draft.theirs || draft.problem) return;
    busy.add(id);
    on.stated(id);
    const sent = { ...draft.typed };
    try {
      const task = await tasks.update(id, Object.assign({}, ...Object.values(sent)), { ifMatch: draft.seen });
      for (const part of Object.keys(sent)) if (same(draft.typed[part], sent[part])) delete draft.typed[part];
      draft.seen = task;
      if (Object.keys(draft.typed).length === 0) drafts.delete(id);
      on.changed(task);
    } catch (problem) {
      refused(draft, problem, same(sent, draft.typed));
    }
    busy.delete(id);
    store();
    on.stated(id);
    // Something was typed meanwhile, or what was typed is about the task as it is now.
    if (drafts.has(id) && !draft.problem && !draft.theirs) await save(id);
  }

  // If something else has been typed meanwhile, that is tried next.
  function refused(draft, problem, isAllTyped) {
    const { task: now } = problem;
    if (problem.status === 401) on.signedOut(problem);
    const { message, code, details, requestId, status } = problem; // of an error, a copy as JSON would have less
    if (!now && isAllTyped) draft.problem = { message, code, details, requestId, status };
    if (!now) return;
    if (clashes(draft, now).length > 0) draft.theirs = now;
    else draft.seen = now;
    on.changed(now);
  }

  // The service answers again. What it has refused waits for its author.
  function saveAll() {
    for (const [id, { problem }] of drafts) if (!problem || problem.status === 0 || problem.status >= 429) retry(id);
  }

  function retry(id) {
    delete drafts.get(id).problem;
    save(id);
  }

  // It may have changed once more, so it is asked about this state of theirs.
  function keepMine(id) {
    const draft = drafts.get(id);
    draft.seen = draft.theirs;
    delete draft.theirs;
    return save(id);
  }

  function drop(id) {
    drafts.delete(id);
    store();
    on.stated(id);
  }
}
