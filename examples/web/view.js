// What is shown: which tasks, in which section and place, and how that follows changes.
import { makeArrivals, makeCounts, reread } from "./arrivals.js";
import { inOrder, makeMoves, putBefore } from "./drag.js";
import { closeMenu } from "./menu.js";
import { isUnfolded, makeRow, makeSections } from "./rows.js";

const WHATEVER = { ifMatch: "*" }; // it is now: a move overwrites nothing that anybody typed

// `on` has what the view tells: said(text, how), failed(error), labels(names), drawn(), folded(key), tick(id, isDone),
// toToday(ids), arrived(id, task); the `lists`; and isUnsaved(id). `given` is a view of views.js; show() changes it.
export class View {
  constructor(place, tasks, given, on) {
    Object.assign(this, { place, tasks, on, lists: on.lists, said: on.said, tick: on.tick, isUnsaved: on.isUnsaved });
    this.known = new Map(); // the tasks that belong to the view, by id
    this.rows = new Map(); // the rows that are on it, by id
    this.shown = given;
    this.next = null; // fetches more of a listing that fills several sections
    this.loaded = Promise.resolve();
    this.loading = new AbortController();
    this.sections = makeSections(place, {
      // Elsewhere, nobody arranges tasks.
      items: (key, found) => (this.shown.isArranged && (this.isBoard() || key === "open") ? found : []),
      dropped: (key, id, beside) => this.dropped(key, id, beside),
      more: (section) => this.fetchMore(section),
      folded: on.folded,
      toToday: on.toToday,
    });
    this.settle = makeArrivals(tasks, {
      ready: () => this.loaded,
      filters: () => this.shown.filters,
      settled: (ids, fitting) => this.settled(ids, fitting),
      failed: on.failed,
    });
    this.moves = makeMoves((id) => this.rows.get(id).task, (id) => this.draw(id));
    this.nested = makeCounts(tasks, {
      isShown: (id) => this.rows.has(id),
      came: (task) => this.changed(task),
      counted: (id) => this.rows.get(id)?.nest.tally(),
      failed: on.failed,
    });
  }

  isFlat() {
    return this.shown.isFlat;
  }

  isBoard() {
    return this.shown.look === "board";
  }

  // A task as it is shown, with what was done to it and not answered yet.
  taskOf(id) {
    return this.moves.onto(this.known.get(id));
  }

  // Shows another place, or the same in another way.
  show(wanted) {
    const isSame = wanted.place === this.shown.place && wanted.look === this.shown.look && this.sections.all().length > 0;
    this.shown = wanted;
    if (!isSame) this.clear();
    this.sections.follow(this.shown, (id) => this.forget(id));
    return this.load();
  }

  clear() {
    closeMenu(this.place);
    for (const each of [this.known, this.rows, this.sections, this.nested]) each.clear();
    this.next = null;
  }

  dropped(key, id, beside) {
    const task = this.taskOf(id);
    const isNested = this.rows.get(id)?.element.parentElement.matches(".subtasks");
    const isTakenOut = isNested && !this.isFlat();
    return this.move(id, { ...(task && this.shown.taken(key, task)), ...(isTakenOut && { parent_id: null }) }, beside);
  }

  // Lists all sections anew. Whoever types in the search asks for this often: only the last answer counts.
  load() {
    this.loading.abort();
    this.loading = new AbortController();
    const { signal } = this.loading;
    this.place.ariaBusy = "true";
    this.loaded = this.listAll(signal).catch((problem) => signal.aborted || this.on.failed(problem));
    return this.loaded;
  }

  async listAll(signal) {
    const { listings, filters } = this.shown;
    const query = { ...filters, include: "subtask_counts" };
    const lists = await Promise.all(listings.map((each) => this.tasks.list({ ...query, ...each.query }, { signal })));
    if (signal.aborted) return;
    const found = new Set(lists.flat().map((task) => task.id));
    for (const id of [...this.known.keys()]) if (!found.has(id)) this.forget(id);
    listings.forEach(({ key }, number) => this.showPage(key === null ? null : this.sections.at(key), lists[number]));
    this.place.ariaBusy = "false";
    this.nested.renew();
    for (const id of this.rows.keys()) this.showNest(id);
    this.tally();
  }

  showPage(section, page) {
    this.nested.learn(page);
    for (const task of page) this.note(task, { isListed: true });
    if (section) section.next = page.next;
    else this.next = page.next;
    this.tally();
  }

  async fetchMore(section = this) {
    const { next } = section;
    const list = section.list ?? this.place;
    const last = [...list.querySelectorAll(".task")].at(-1);
    try {
      const page = await next();
      if (section.next !== next) return; // the filters have changed meanwhile
      this.showPage(section === this ? null : section, page);
      if (!section.next) (last?.nextElementSibling ?? list.querySelector(".task"))?.querySelector(".title a").focus();
    } catch (problem) {
      this.on.failed(problem);
    }
  }

  settled(ids, fitting) {
    for (const id of ids) fitting.has(id) ? this.note(fitting.get(id)) : this.forget(id);
    this.tally();
  }

  // Moves a task to another section or list, beside another one of its list, or both. Whoever chose last is right.
  async move(id, fields, beside = {}) {
    const isChange = (task) => Object.keys(fields).some((name) => fields[name] !== task?.[name]);
    const others = isChange(this.known.get(id)) ? this.around(id) : [];
    try {
      const task = await this.moves.run(id, fields, beside, async () => {
        const where = "parent_id" in fields ? { ...beside, parent_id: fields.parent_id } : beside;
        let now = this.known.get(id);
        if (Object.keys(where).length > 0) this.changed((now = await this.tasks.move(id, where, WHATEVER)));
        if (isChange(now)) this.changed((now = await this.tasks.update(id, fields, WHATEVER)));
        return now;
      });
      this.followUp(others);
      return task;
    } catch (problem) {
      this.on.failed(problem);
      return null;
    }
  }

  // A task has been edited. Those around it may have changed along with it.
  saved(task) {
    const before = this.known.get(task.id);
    const isAlone = !before || ["status", "list_id"].every((name) => before[name] === task[name]);
    const others = isAlone ? [] : this.around(task.id);
    this.changed(task);
    this.followUp(others);
  }

  // The stream says it, too, but may take its time, or be down.
  followUp(ids) {
    reread(this.tasks, ids, (other) => this.known.has(other.id) && this.changed(other)).catch(this.on.failed);
  }

  // The tasks above and below one, which may change along with it.
  around(id) {
    if (!this.rows.has(id)) return []; // it was deleted while it was dragged
    const { element } = this.rows.get(id);
    const isAround = (other) => other !== element && (other.contains(element) || element.contains(other));
    return [...this.place.querySelectorAll(".task")].filter(isAround).map((other) => other.dataset.id);
  }

  async add(fields) {
    try {
      const task = await this.tasks.create(fields);
      await this.changed(task);
      this.on.said(`“${task.title}” is added.`);
      return true;
    } catch (problem) {
      this.on.failed(problem);
      return false;
    }
  }

  // Where a task stands: below the task that it is a subtask of, or in its section, if that one is not shown; or nowhere.
  section(task) {
    const parent = this.shown.isFlat ? null : this.rows.get(task.parent_id);
    const row = this.rows.get(task.id);
    if (parent && !row?.element.contains(parent.element)) return parent.nest;
    const now = row?.element.parentElement?.closest("[data-key]")?.dataset.key;
    const key = this.shown.holds(task) ? this.shown.keyOf(task, now) : null;
    return key === null ? null : this.sections.at(key);
  }

  subtasksOf(id) {
    return [...this.rows.values()].filter(({ task }) => task.parent_id === id);
  }

  changed(task) {
    if (this.known.has(task.id)) this.note(task); // at once; whether it still fits the filters turns out later
    return this.arrive(task.id, task);
  }

  // A task has changed, here or elsewhere; null: it was deleted.
  arrive(id, task) {
    this.on.arrived(id, task);
    return this.settle(id, task);
  }

  removed(id) {
    this.forgetTree(id);
    this.tally();
  }

  note(task, { isListed = false } = {}) {
    const before = this.known.get(task.id);
    if (!(before?.revision > task.revision)) this.known.set(task.id, task); // else it is older than what is shown
    if (!isListed) this.nested.changed(before, task);
    this.on.labels(task.labels);
    this.draw(task.id);
  }

  forget(id) {
    this.nested.changed(this.known.get(id), null);
    this.known.delete(id);
    this.draw(id);
  }

  // The tasks below it go to the trash along with it: the stream says so a moment later.
  forgetTree(id) {
    for (const { task } of this.subtasksOf(id)) this.forgetTree(task.id);
    this.forget(id);
  }

  // A list has another name or colour, or a draft has been saved.
  redraw(id) {
    for (const row of id ? [this.rows.get(id)].filter(Boolean) : this.rows.values()) row.show(row.task);
  }

  // Makes the view agree with what is known of a task.
  draw(id) {
    const task = this.moves.onto(this.known.get(id));
    let row = this.rows.get(id);
    if (!task || !this.section(task)) {
      if (row) this.takeAway(row);
      return;
    }
    const isNew = !row;
    if (isNew) this.rows.set(id, (row = makeRow(this)));
    row.show(task);
    this.stand(row);
    if (!isNew) return;
    for (const { task: each } of this.subtasksOf(id)) this.draw(each.id); // they were shown without it
    if (this.place.ariaBusy === "false") this.showNest(id);
  }

  showNest(id) {
    if (isUnfolded(id) && !this.shown.isFlat) this.nested.fetch(id);
  }

  stand(row) {
    const { task } = row;
    const above = row.element.parentElement?.closest(".task");
    const { list, key, adopt } = this.section(task);
    const isBefore = adopt ? (one, other) => inOrder(one, other) < 0 : this.shown.isBefore(key);
    const others = [...list.children].filter((other) => other !== row.element && this.rowOf(other)); // without what goes away
    const next = others.find((other) => isBefore(task, this.rowOf(other).task)) ?? null;
    if (row.element.parentElement !== list || row.element.nextElementSibling !== next) putBefore(list, row.element, next);
    this.rowOf(above)?.nest.tally();
    if (adopt) this.rowOf(list.closest(".task")).nest.tally();
    this.tally();
  }

  takeAway({ element, task }) {
    closeMenu(element); // which gives the focus back to the row
    const neighbour = element.nextElementSibling ?? element.previousElementSibling;
    const heading = element.closest("[data-key]").querySelector("h2");
    const above = element.parentElement.closest(".task");
    this.rows.delete(task.id);
    for (const each of this.subtasksOf(task.id)) this.draw(each.task.id);
    const hadFocus = element.contains(document.activeElement);
    element.remove();
    this.rowOf(above)?.nest.tally();
    if (hadFocus) (neighbour?.querySelector(".title a") ?? heading).focus();
  }

  rowOf(element) {
    return this.rows.get(element?.dataset.id);
  }

  tally() {
    for (const each of this.sections.all()) each.tell();
    this.on.drawn();
  }
}
