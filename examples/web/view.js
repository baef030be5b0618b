// What is shown: which tasks, in which section and place, and how that follows changes.
import { makeArrivals, makeCounts, reread } from "./arrivals.js";
import { inOrder, makeMoves, putBefore } from "./drag.js";
import { closeMenu } from "./menu.js";
import { isUnfolded, makeRow, makeSections } from "./rows.js";

const WHATEVER = { ifMatch: "*" }; // it is now: a move overwrites nothing that anybody typed

// `on` has what the view tells: said(text, how), failed(error), labels(names), drawn(), folded(key), tick(id, isDone),
// toToday(ids), arrived(id, task); the `lists`; and isUnsaved(id). `given` is a view of views.js; show() changes it.
export function makeView(place, tasks, given, on) {
  const known = new Map(); // the tasks that belong to the view, by id
  const rows = new Map(); // the rows that are on it, by id
  const sections = makeSections(place, {
    // Elsewhere, nobody arranges tasks.
    items: (key, found) => (shown.isArranged && (shown.look === "board" || key === "open") ? found : []),
    dropped, more: fetchMore, folded: on.folded, toToday: on.toToday,
  });
  let shown = given;
  let loaded = Promise.resolve();
  let loading = new AbortController();
  const settle = makeArrivals(tasks, { ready: () => loaded, filters: () => shown.filters, settled, failed: on.failed });
  const moves = makeMoves((id) => rows.get(id).task, draw);
  const nested = makeCounts(tasks, {
    isShown: (id) => rows.has(id), came: changed, counted: (id) => rows.get(id)?.nest.tally(), failed: on.failed,
  });
  const view = {
    show, load, changed, saved, arrive, removed, move, add, redraw, section, rowOf, tick: on.tick, said: on.said, lists: on.lists,
    isFlat: () => shown.isFlat, isBoard: () => shown.look === "board", isUnsaved: on.isUnsaved, countsOf: nested.countsOf,
    subtasks: nested.fetch, taskOf: (id) => moves.onto(known.get(id)), fetchMore, next: null,
  };
  return view;

  // Shows another place, or the same in another way.
  function show(wanted) {
    const isSame = wanted.place === shown.place && wanted.look === shown.look && sections.all().length > 0;
    shown = wanted;
    if (!isSame) clear();
    sections.follow(shown, (id) => forget(id));
    return load();
  }

  function clear() {
    closeMenu(place);
    for (const each of [known, rows, sections, nested]) each.clear();
    view.next = null;
  }

  function dropped(key, id, beside) {
    const task = view.taskOf(id);
    const isNested = rows.get(id)?.element.parentElement.matches(".subtasks");
    return move(id, { ...(task && shown.taken(key, task)), ...(isNested && !shown.isFlat && { parent_id: null }) }, beside);
  }

  // Lists all sections anew. Whoever types in the search asks for this often: only the last answer counts.
  function load() {
    loading.abort();
    loading = new AbortController();
    const { signal } = loading;
    place.ariaBusy = "true";
    loaded = listAll(signal).catch((problem) => signal.aborted || on.failed(problem));
    return loaded;
  }

  async function listAll(signal) {
    const { listings, filters } = shown;
    const query = { ...filters, include: "subtask_counts" };
    const lists = await Promise.all(listings.map((each) => tasks.list({ ...query, ...each.query }, { signal })));
    if (signal.aborted) return;
    const found = new Set(lists.flat().map((task) => task.id));
    for (const id of [...known.keys()]) if (!found.has(id)) forget(id);
    listings.forEach(({ key }, number) => showPage(key === null ? null : sections.at(key), lists[number]));
    place.ariaBusy = "false";
    nested.renew();
    for (const id of rows.keys()) showNest(id);
    tally();
  }

  function showPage(section, page) {
    nested.learn(page);
    for (const task of page) note(task, { isListed: true });
    if (section) section.next = page.next;
    else view.next = page.next;
    tally();
  }

  async function fetchMore(section = view) {
    const { next } = section;
    const list = section.list ?? place;
    const last = [...list.querySelectorAll(".task")].at(-1);
    try {
      const page = await next();
      if (section.next === next) showPage(section === view ? null : section, page); // else the filters have changed meanwhile
      if (!section.next) (last?.nextElementSibling ?? list.querySelector(".task"))?.querySelector(".title a").focus();
    } catch (problem) {
      on.failed(problem);
    }
  }

  function settled(ids, fitting) {
    for (const id of ids) fitting.has(id) ? note(fitting.get(id)) : forget(id);
    tally();
  }

  // Moves a task to another section or list, beside another one of its list, or both. Whoever chose last is right.
  async function move(id, fields, beside = {}) {
    const isChange = (task) => Object.keys(fields).some((name) => fields[name] !== task?.[name]);
    const others = isChange(known.get(id)) ? around(id) : [];
    try {
      const task = await moves.run(id, fields, beside, async () => {
        const where = "parent_id" in fields ? { ...beside, parent_id: fields.parent_id } : beside;
        let now = known.get(id);
        if (Object.keys(where).length > 0) changed((now = await tasks.move(id, where, WHATEVER)));
        if (isChange(now)) changed((now = await tasks.update(id, fields, WHATEVER)));
        return now;
      });
      followUp(others);
      return task;
    } catch (problem) {
      on.failed(problem);
      return null;
    }
  }

  // A task has been edited. Those around it may have changed along with it.
  function saved(task) {
    const before = known.get(task.id);
    const isAlone = !before || ["status", "list_id"].every((name) => before[name] === task[name]);
    const others = isAlone ? [] : around(task.id);
    changed(task);
    followUp(others);
  }

  // The stream says it, too, but may take its time, or be down.
  function followUp(ids) {
    reread(tasks, ids, (other) => known.has(other.id) && changed(other)).catch(on.failed);
  }

  // The tasks above and below one, which may change along with it.
  function around(id) {
    if (!rows.has(id)) return []; // it was deleted while it was dragged
    const { element } = rows.get(id);
    const isAround = (other) => other !== element && (other.contains(element) || element.contains(other));
    return [...place.querySelectorAll(".task")].filter(isAround).map((other) => other.dataset.id);
  }

  async function add(fields) {
    try {
      const task = await tasks.create(fields);
      await changed(task);
      on.said(`“${task.title}” is added.`);
      return true;
    } catch (problem) {
      on.failed(problem);
      return false;
    }
  }

  // Where a task stands: below the task that it is a subtask of, or in its section, if that one is not shown; or nowhere.
  function section(task) {
    const parent = shown.isFlat ? null : rows.get(task.parent_id);
    const row = rows.get(task.id);
    if (parent && !row?.element.contains(parent.element)) return parent.nest;
    const now = row?.element.parentElement?.closest("[data-key]")?.dataset.key;
    const key = shown.holds(task) ? shown.keyOf(task, now) : null;
    return key === null ? null : sections.at(key);
  }

  function subtasksOf(id) {
    return [...rows.values()].filter(({ task }) => task.parent_id === id);
  }

  function changed(task) {
    if (known.has(task.id)) note(task); // at once; whether it still fits the filters turns out later
    return arrive(task.id, task);
  }

  // A task has changed, here or elsewhere; null: it was deleted.
  function arrive(id, task) {
    on.arrived(id, task);
    return settle(id, task);
  }

  function removed(id) {
    forgetTree(id);
    tally();
  }

  function note(task, { isListed = false } = {}) {
    const before = known.get(task.id);
    if (!(before?.revision > task.revision)) known.set(task.id, task); // else it is older than what is shown
    if (!isListed) nested.changed(before, task);
    on.labels(task.labels);
    draw(task.id);
  }

  function forget(id) {
    nested.changed(known.get(id), null);
    known.delete(id);
    draw(id);
  }

  // The tasks below it go to the trash along with it: the stream says so a moment later.
  function forgetTree(id) {
    for (const { task } of subtasksOf(id)) forgetTree(task.id);
    forget(id);
  }

  // A list has another name or colour, or a draft has been saved.
  function redraw(id) {
    for (const row of id ? [rows.get(id)].filter(Boolean) : rows.values()) row.show(row.task);
  }

  // Makes the view agree with what is known of a task.
  function draw(id) {
    const task = moves.onto(known.get(id));
    let row = rows.get(id);
    if (!task || !section(task)) {
      if (row) takeAway(row);
      return;
    }
    const isNew = !row;
    if (isNew) rows.set(id, (row = makeRow(view)));
    row.show(task);
    stand(row);
    if (!isNew) return;
    for (const { task: each } of subtasksOf(id)) draw(each.id); // they were shown without it
    if (place.ariaBusy === "false") showNest(id);
  }

  function showNest(id) {
    if (isUnfolded(id) && !shown.isFlat) nested.fetch(id);
  }

  function stand(row) {
    const { task } = row;
    const above = row.element.parentElement?.closest(".task");
    const { list, key, adopt } = section(task);
    const isBefore = adopt ? (one, other) => inOrder(one, other) < 0 : shown.isBefore(key);
    const others = [...list.children].filter((other) => other !== row.element && rowOf(other)); // without what goes away
    const next = others.find((other) => isBefore(task, rowOf(other).task)) ?? null;
    if (row.element.parentElement !== list || row.element.nextElementSibling !== next) putBefore(list, row.element, next);
    rowOf(above)?.nest.tally();
    if (adopt) rowOf(list.closest(".task")).nest.tally();
    tally();
  }

  function takeAway({ element, task }) {
    closeMenu(element); // which gives the focus back to the row
    const neighbour = element.nextElementSibling ?? element.previousElementSibling;
    const heading = element.closest("[data-key]").querySelector("h2");
    const above = element.parentElement.closest(".task");
    rows.delete(task.id);
    for (const each of subtasksOf(task.id)) draw(each.task.id);
    const hadFocus = element.contains(document.activeElement);
    element.remove();
    rowOf(above)?.nest.tally();
    if (hadFocus) (neighbour?.querySelector(".title a") ?? heading).focus();
  }

  function rowOf(element) {
    return rows.get(element?.dataset.id);
  }

  function tally() {
    for (const each of sections.all()) each.tell();
    on.drawn();
  }
}
