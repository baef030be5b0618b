// All that a signed-in user sees and does, put together: each part tells the others what has happened.
import { taskApi } from "../task-api.js";
import { Actions } from "./actions.js";
import { Add } from "./add.js";
import { TYPES } from "./arrivals.js";
import { Connection } from "./connection.js";
import { Files } from "./files.js";
import { Filters } from "./filters.js";
import { Keys } from "./keys.js";
import { ListForm } from "./list-form.js";
import { Lists } from "./lists.js";
import { Page } from "./page.js";
import { Panel } from "./panel.js";
import { Plans } from "./plan.js";
import { Saver } from "./saving.js";
import { Sidebar } from "./side.js";
import { Tallies } from "./tallies.js";
import { Trash } from "./trash.js";
import { View } from "./view.js";
import { goTo, viewOf } from "./views.js";

const HANDED_ON = ["find", "say", "failed", "attempt", "place", "taskOf", "arrived", "changed"]; // to the parts

export class Desk {
  // `session` has the address, the token (none: the client has a session), `who` it is, where it has `begun` (tallies.js), the
  // signal that ends it, the notices, failed(error) and signOut().
  constructor(frame, session) {
    const { signal, notices } = session;
    Object.assign(this, { frame, session, signal, notices, isBusy: false });
    for (const name of HANDED_ON) this[name] = this[name].bind(this);
    this.connection = new Connection(this.find("#strip"), { signal, found: () => this.found(), again: () => this.page.reload() });
    this.tasks = this.clientOf(session);
    this.actions = new Actions(this);
    this.makeTasks();
    this.makeLists();
    this.makeFrame();
  }

  // The connection is told the names of what is saved.
  clientOf({ address, token }) {
    const { connection } = this;
    const client = taskApi(address, token, {
      fetch: (...request) => connection.fetch(...request),
      wait: (...given) => connection.wait(...given),
    });
    const nameOf = (id) => this.taskOf(id)?.title ?? "A task";
    return {
      ...client,
      create: (fields, options) => connection.saving(fields.title, client.create(fields, options)),
      move: (id, ...given) => connection.saving(nameOf(id), client.move(id, ...given)),
      update: (id, fields, options) => connection.saving(fields.title ?? nameOf(id), client.update(id, fields, options)),
      remove: (id, options) => connection.saving(nameOf(id), client.remove(id, options)),
    };
  }

  makeTasks() {
    const { tasks, failed, find, say, actions, taskOf } = this;
    const stated = (id) => this.stated(id);
    this.saver = new Saver(tasks, { changed: (task) => this.view.saved(task), stated, signedOut: failed });
    const narrowed = () => this.page.reload();
    this.filters = new Filters(find("#filter"), find(".sift"), { narrowed, labels: () => this.labels() });
    this.lists = new Lists(tasks, {
      place: this.place, said: say, failed, taskOf, drawn: () => this.page.redraw(), gone: (list) => this.page.gone(list),
      back: (id) => goTo(`#list/${id}`), moved: (id, fields) => this.view.move(id, fields),
    });
    this.view = new View(find("#board"), tasks, viewOf("all", "list"), {
      failed, said: say, lists: this.lists, isUnsaved: (id) => this.saver.has(id) && this.panel.id() !== id,
      labels: (names) => this.filters.offer(names), drawn: () => this.page?.drawn(), folded: (key) => this.page.fold(key),
      tick: (id, isDone) => actions.tick(id, isDone), toToday: (ids) => actions.toToday(ids), arrived: this.arrived,
      counted: (before, after) => this.tallies.adjust(before, after),
      addTo: (text, fields) => actions.create({ ...this.add.fields(text), ...fields }),
    });
    this.panel = new Panel(find("#panel"), tasks, this.saver, {
      taskOf, tick: (id, isDone) => actions.tick(id, isDone), remove: (task) => actions.remove(task), lists: this.lists, failed,
      add: (fields) => this.view.add(fields), closed: (id) => this.page.closed(id),
    });
    this.plans = new Plans(find("#board"), find(".acts"), find("#plan"), {
      taskOf, plan: (...given) => actions.plan(...given), remove: (task) => actions.remove(task),
    });
  }

  makeLists() {
    const { tasks, failed, find, attempt, lists, place, taskOf, signal } = this;
    const learned = (found) => lists.learn(found);
    const counted = (counts) => this.page.counted(counts);
    this.tallies = new Tallies(tasks, { learned, counted, hasArchived: () => lists.hasArchived(), failed });
    const dropped = (id, fields) => this.actions.plan(id, fields);
    this.sidebar = new Sidebar(find("#side"), lists, { place, go: (to) => goTo(`#${to}`), dropped, taskOf, attempt });
    const chosen = () => lists.chosen();
    this.listForm = new ListForm(find(".this-list"), find(".change"), lists, { chosen, attempt });
    const listRestored = (list) => lists.arrive(list);
    this.trash = new Trash(find("#trash"), tasks, { restored: this.changed, listRestored, said: this.say, failed });
    this.files = new Files(find("#file"), find("#report"), tasks, { done: () => this.renew(), failed, signal });
  }

  makeFrame() {
    const { lists, actions, place, signal } = this;
    const makeList = (name) => this.attempt(() => lists.create({ name }));
    this.add = new Add(this.find("#add"), { place, lists, makeList, create: (...given) => actions.create(...given) });
    this.page = new Page(this, this.session);
    this.keys = new Keys(document.querySelector("#keys"), { signal, ...actions.keys() });
  }

  async start() {
    const { who, begun } = this.session;
    this.page.greet(who);
    this.page.begin(await this.tallies.count(this.signal, begun));
    this.saver.saveAll();
    await this.follow(begun.page.since);
  }

  // Follows all changes of the user, those of this window included. Over HTTP/1.1, a browser has six connections to a
  // service, and each window that follows takes one: HTTP/2 at the proxy lifts that.
  async follow(since) {
    for await (const { type, task, list, deleted } of this.tasks.changes({ since, signal: this.signal, types: TYPES })) {
      if (type === "list") this.lists.arrive(list ?? { id: deleted, deleted_at: true });
      else this.view.arrive(task?.id ?? deleted, task ?? null);
      this.tallies.soon(this.signal);
    }
  }

  async labels() {
    try {
      return (await this.tasks.labels.list()).map(({ name }) => name);
    } catch (problem) {
      this.failed(problem);
      return [];
    }
  }

  find(selector) {
    return this.frame.querySelector(selector);
  }

  say(text, how = {}) {
    this.notices.say(text, { ...how, undo: how.undo && (async () => how.undo()?.catch(this.failed)) });
  }

  failed(problem) {
    if (!this.signal.aborted) this.session.failed(problem);
  }

  place() {
    return this.page?.place() ?? "all";
  }

  taskOf(id) {
    return this.view.taskOf(id);
  }

  // A task is another one now: by an answer, or by the stream.
  changed(task) {
    return this.view.changed(task);
  }

  arrived(id, task) {
    if (task) this.saver.arrived(task);
    this.panel.arrived(task, id);
    this.tallies.soon(this.signal);
  }

  stated(id) {
    this.panel?.stated(id);
    this.view?.rows.redraw(id);
  }

  // Many tasks may have come at once.
  renew() {
    this.page.reload();
    this.tallies.soon(this.signal);
  }

  // The service answers again.
  found() {
    this.saver.saveAll();
    if (this.find("#board").ariaBusy === "true") this.page.reload();
    this.tallies.soon(this.signal);
  }

  async attempt(work) {
    if (this.isBusy) return; // it was pressed twice
    this.isBusy = true;
    try {
      await work();
    } catch (problem) {
      this.failed(problem);
    } finally {
      this.isBusy = false;
    }
  }
}
