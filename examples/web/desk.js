// All that a signed-in user sees and does, put together: each part tells the others what has happened.
import { taskApi } from "../task-api.js";
import { makeAdd, makeFilters } from "./add.js";
import { latest, TYPES } from "./arrivals.js";
import { besideAt } from "./drag.js";
import { listenToKeys } from "./keys.js";
import { makeLists } from "./lists.js";
import { makeConnection } from "./notices.js";
import { Page } from "./page.js";
import { Panel } from "./panel.js";
import { makeSaver } from "./saving.js";
import { makeListForm, makeSidebar, makeTallies } from "./side.js";
import { makeTrash } from "./trash.js";
import { View } from "./view.js";
import { addressOf, goTo, viewOf } from "./views.js";
import { onDay, today } from "./words.js";

// The last one has the user, the signal that ends the session, the notices, failed(error) and signOut().
export function makeDesk(frame, address, token, { me, signal, notices, failed: fail, signOut }) {
  const find = (selector) => frame.querySelector(selector);
  const say = (text, how = {}) => notices.say(text, { ...how, undo: how.undo && (async () => how.undo()?.catch(failed)) });
  const failed = (problem) => signal.aborted || fail(problem);
  const connection = makeConnection(find("#strip"), { signal, found: () => desk.found(), again: () => desk.again() });
  const tasks = taskApi(address, token, { fetch: connection.fetch, wait: connection.wait });
  const desk = { frame, find, signal, tasks, notices, say, failed, attempt };

  const taskOf = (id) => desk.view.taskOf(id);
  const place = () => desk.page?.place() ?? "all";
  const tallies = makeTallies(tasks, { counted: (counts) => desk.page.counted(counts), failed });
  desk.saver = makeSaver(tasks, { changed: (task) => desk.view.saved(task), stated, signedOut: failed });
  desk.lists = makeLists(tasks, {
    place, said: say, failed, drawn: () => desk.page?.redraw(), gone: (list) => desk.page.gone(list),
    back: (id) => goTo(`#list/${id}`),
    moved: (id, fields) => desk.view.move(id, fields), taskOf,
  });
  desk.filters = makeFilters(find("#filter"), find(".sift"), { narrowed: () => desk.page.reload() });
  desk.view = new View(find("#board"), tasks, viewOf("all", "list"), {
    failed, said: say, lists: desk.lists, isUnsaved: (id) => desk.saver.has(id) && desk.panel.id() !== id,
    labels: desk.filters.offer, drawn: () => desk.page?.drawn(), folded: (key) => desk.page.fold(key),
    tick: (id, isDone) => actions.tick(id, isDone), toToday: (ids) => actions.toToday(ids), arrived,
  });
  const actions = makeActions(desk);
  desk.panel = new Panel(find("#panel"), tasks, desk.saver, {
    taskOf, tick: actions.tick, remove: actions.remove, add: (fields) => desk.view.add(fields), lists: desk.lists, failed,
    closed: (id) => desk.page.closed(id),
  });
  desk.sidebar = makeSidebar(find("#side"), desk.lists, {
    place, go: (to) => goTo(`#${to}`), dropped: actions.plan, taskOf, attempt,
  });
  desk.listForm = makeListForm(find(".this-list"), find(".change"), desk.lists, { chosen: desk.lists.chosen, attempt });
  desk.trash = makeTrash(find("#trash"), tasks, { restored: changed, listRestored: desk.lists.arrive, said: say, failed });
  desk.add = makeAdd(find("#add"), { place, create: actions.create, lists: desk.lists });
  desk.page = new Page(desk, signOut);
  listenToKeys(document.querySelector("#keys"), { signal, ...actions.keys });
  let isBusy = false;

  desk.start = async () => {
    desk.page.greet(me.id);
    const since = await latest(tasks); // before the first listings, so that no change falls between the two
    if (signal.aborted) return;
    const [counts] = await Promise.all([tallies.count(signal), desk.lists.load(signal)]);
    desk.page.begin(counts);
    tasks.request("/api/labels", { signal }).then((labels) => desk.filters.offer(labels.map(({ name }) => name)), failed);
    desk.saver.saveAll();
    await follow(since);
  };
  desk.found = () => {
    desk.saver.saveAll();
    if (find("#board").ariaBusy === "true") desk.page.reload();
    tallies.soon(signal);
  };
  desk.again = () => desk.page.reload();
  return desk;

  // Follows all changes of the user, those of this window included. Over HTTP/1.1, a browser has six connections to a
  // service, and each window that follows takes one: HTTP/2 at the proxy lifts that.
  async function follow(since) {
    for await (const { type, task, list, deleted } of tasks.changes({ since, signal, types: TYPES })) {
      if (type === "list") desk.lists.arrive(list ?? { id: deleted, deleted_at: true });
      else desk.view.arrive(task?.id ?? deleted, task ?? null);
      tallies.soon(signal);
    }
  }

  // A task is another one now: by an answer, or by the stream.
  function changed(task) {
    return desk.view.changed(task);
  }

  function arrived(id, task) {
    if (task) desk.saver.arrived(task);
    desk.panel?.arrived(task, id);
    tallies.soon(signal);
  }

  function stated(id) {
    desk.panel?.stated(id);
    desk.view.redraw(id);
  }

  async function attempt(work) {
    if (isBusy) return; // it was pressed twice
    isBusy = true;
    try {
      await work();
    } catch (problem) {
      failed(problem);
    } finally {
      isBusy = false;
    }
  }
}

// What can be done with a task, by mouse, finger or key, and how it is undone.

const MOST = 100; // tasks that one request changes
const WORDS = { done: "is done", todo: "is to do again" };

export function makeActions(desk) {
  const { tasks, say, failed, find } = desk;
  const idOf = (row) => row.dataset.id;
  return { tick, plan, toToday, remove, create, keys: keys() };

  async function tick(id, isDone) {
    const before = desk.view.taskOf(id);
    const status = isDone ? "done" : "todo";
    const task = await desk.view.move(id, { status });
    if (!task) return;
    const undo = () => desk.view.move(id, { status: before?.status ?? (isDone ? "todo" : "done") });
    say(`“${task.title}” ${WORDS[status]}.`, { undo });
  }

  // Changes when a task is due, or another field of it.
  async function plan(id, fields) {
    const before = desk.view.taskOf(id);
    const task = await desk.view.move(id, fields);
    if (!task || !before) return;
    const undo = () => desk.view.move(id, Object.fromEntries(Object.keys(fields).map((name) => [name, before[name]])));
    say(`“${task.title}” is changed.`, { undo });
  }

  async function toToday(ids) {
    const before = ids.slice(0, MOST).map((id) => desk.view.taskOf(id));
    await change(before.map((task) => ({ op: "update", id: task.id, data: onDay(task, today()) })));
    const back = ({ id, due_date, due_at, start_date, start_at }) =>
      ({ op: "update", id, data: { ...(due_at ? { due_at } : { due_date }), start_date, start_at } });
    const words = before.length === 1 ? `“${before[0].title}” is due today.` : `${before.length} tasks are due today.`;
    say(words, { undo: () => change(before.map(back)) });
  }

  async function change(operations) {
    try {
      for (const { data } of await tasks.batch(operations)) desk.view.changed(data);
    } catch (problem) {
      failed(problem);
    }
  }

  async function remove({ id, title }) {
    try {
      await tasks.remove(id, { ifMatch: "*" }); // whatever it is now: it can be brought back
    } catch (problem) {
      return failed(problem);
    }
    desk.saver.drop(id);
    desk.panel.hide();
    find(`#board [data-id="${id}"] .title a`)?.focus(); // its neighbour gets the focus from it
    goTo(addressOf(desk.page.place()));
    desk.view.removed(id);
    const undo = async () => {
      desk.view.changed(await tasks.request(`/api/tasks/${id}/restore`, { method: "POST", ifMatch: "*" }));
      say(`“${title}” is back.`);
    };
    say(`“${title}” is in the trash.`, { undo, focus: true });
  }

  async function create(fields) {
    try {
      const task = await tasks.create(fields);
      await desk.view.changed(task);
      const isShown = find(`#board [data-id="${task.id}"]`);
      if (isShown) say(`“${task.title}” is added.`);
      else if (desk.filters.isNarrowed()) say(`“${task.title}” is added, but the filter hides it.`);
      else say(`“${task.title}” is added to “${desk.lists.nameOf(task.list_id)}”.`);
      return true;
    } catch (problem) {
      failed(problem);
      return false;
    }
  }

  // Moves a task up or down among those that people arrange; returns whether there is such an order.
  function step(row, by) {
    const section = desk.view.section(desk.view.taskOf(idOf(row)));
    const items = section.items();
    const index = items.indexOf(row);
    const goal = Math.max(0, Math.min(items.length - 1, index + by));
    if (index < 0) return false;
    if (goal !== index) section.dropped(idOf(row), besideAt(items.filter((item) => item !== row), goal));
    return true;
  }

  function keys() {
    return {
      add: () => desk.add.open(),
      search: () => desk.page.search(),
      undo: () => desk.notices.takeBack(),
      go: (place) => goTo(addressOf(place)),
      look: () => desk.page.otherLook(),
      help: () => document.querySelector("#keys").showModal(),
      tick: (id) => tick(id, desk.view.taskOf(id).status !== "done"),
      due: (id) => desk.page.openAt(id, "due"),
      priority: (id, priority) => plan(id, { priority }),
      list: (row) => row.querySelector(".grip").click(),
      step,
    };
  }
}
