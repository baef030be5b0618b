// What is shown: which tasks there are, how they are fetched and moved, and how that follows changes.
import { Arrivals, pageOf, reread } from "./arrivals.js";
import { SubtaskCounts } from "./counts.js";
import { closeMenu } from "./menu.js";
import { Moves } from "./order.js";
import { Rows } from "./rows.js";
import { Sections } from "./sections.js";
import { backTo } from "./words.js";

const WHATEVER = { ifMatch: "*" }; // it is now: a move overwrites nothing that anybody typed

// `on` has what the view tells: said(text, how), failed(error), labels(names), drawn(), folded(key), tick(id, isDone),
// toToday(ids), addTo(text, fields), arrived(id, task); counted(before, after), what is done to a task; the `lists`; and
// isUnsaved(id). `given` is a view of views.js; show() changes it.
export class View {
  constructor(place, tasks, given, on) {
    Object.assign(this, { place, tasks, on, lists: on.lists, said: on.said, tick: on.tick, isUnsaved: on.isUnsaved });
    this.known = new Map(); // the tasks that belong to the view, by id
    this.shown = given;
    this.next = null; // fetches more of a listing that fills several sections
    this.loaded = Promise.resolve();
    this.loading = new AbortController();
    this.rows = new Rows(this);
    this.moves = new Moves((id) => this.rows.get(id).task, (id) => this.rows.draw(id));
    this.sections = new Sections(place, {
      // Elsewhere, nobody arranges tasks.
      items: (key, found) => (this.shown.isArranged && (this.isBoard() || key === "open") ? found : []),
      dropped: (key, id, beside) => this.dropped(key, id, beside),
      more: (section) => this.fetchMore(section),
      folded: on.folded, toToday: on.toToday, add: on.addTo,
    });
    this.arrivals = new Arrivals(tasks, {
      ready: () => this.loaded,
      filters: () => this.shown.filters,
      settled: (ids, fitting) => this.settled(ids, fitting),
      failed: on.failed,
    });
    this.nested = new SubtaskCounts(tasks, {
      isShown: (id) => Boolean(this.rows.get(id)),
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
    return this.put(id, { ...(task && this.shown.taken(key, task)), ...(isTakenOut && { parent_id: null }) }, beside);
  }

  // Moves a task, says so, and offers the way back.
  async put(id, fields, beside = {}, words = (title) => `“${title}” is moved.`) {
    const before = this.taskOf(id);
    const place = Object.keys(beside).length > 0 ? this.rows.besideOf(id) : {};
    const task = await this.move(id, fields, beside);
    if (!task) return null;
    const undo = before && (() => this.move(id, backTo(before, fields), place));
    this.said(words(task.title), { undo });
    return task;
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
    const lists = await Promise.all(listings.map((each) => pageOf(this.tasks, { ...query, ...each.query }, { signal })));
    if (signal.aborted) return;
    const found = new Set(lists.flatMap((page) => page.found).map((task) => task.id));
    for (const id of [...this.known.keys()]) if (!found.has(id)) this.forget(id);
    listings.forEach(({ key }, number) => this.showPage(key === null ? null : this.sections.at(key), lists[number]));
    this.place.ariaBusy = "false";
    this.nested.renew();
    for (const id of this.rows.ids()) this.rows.showNest(id);
    this.tally();
  }

  showPage(section, page) {
    this.nested.learn(page.found);
    for (const task of page.found) this.note(task, { isListed: true });
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
    const others = isChange(this.known.get(id)) ? this.rows.around(id) : [];
    const before = this.taskOf(id);
    const after = { ...before, ...fields };
    this.on.counted(before, after);
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
      this.on.counted(after, before);
      this.on.failed(problem);
      return null;
    }
  }

  // A task has been edited. Those around it may have changed along with it.
  saved(task) {
    const before = this.known.get(task.id);
    const isAlone = !before || ["status", "list_id"].every((name) => before[name] === task[name]);
    const others = isAlone ? [] : this.rows.around(task.id);
    this.changed(task);
    this.followUp(others);
  }

  // The stream says it, too, but may take its time, or be down.
  followUp(ids) {
    reread(this.tasks, ids, (other) => this.known.has(other.id) && this.changed(other)).catch(this.on.failed);
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

  changed(task) {
    if (this.known.has(task.id)) this.note(task); // at once; whether it still fits the filters turns out later
    return this.arrive(task.id, task);
  }

  // A task has changed, here or elsewhere; null: it was deleted.
  arrive(id, task) {
    this.on.arrived(id, task);
    return this.arrivals.arrive(id, task);
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
    this.rows.draw(task.id);
  }

  forget(id) {
    this.nested.changed(this.known.get(id), null);
    this.known.delete(id);
    this.rows.draw(id);
  }

  // The tasks below it go to the trash along with it: the stream says so a moment later.
  forgetTree(id) {
    for (const { task } of this.rows.subtasksOf(id)) this.forgetTree(task.id);
    this.forget(id);
  }

  tally() {
    for (const each of this.sections.all()) each.tell();
    this.on.drawn();
  }
}
