// What can be done with a task, by mouse, finger or key, and how it is undone.
import { besideAt } from "./order.js";
import { addressOf, goTo } from "./views.js";
import { backTo, onDay, today } from "./words.js";

const MOST = 100; // tasks that one request changes
const WORDS = { done: "is done", todo: "is to do again" };

export class Actions {
  constructor(desk) {
    Object.assign(this, { desk, tasks: desk.tasks });
  }

  async tick(id, isDone) {
    const { view } = this.desk;
    const status = isDone ? "done" : "todo";
    const task = await view.move(id, { status });
    if (task) this.desk.say(`“${task.title}” ${WORDS[status]}.`, { undo: () => this.undo(task) });
  }

  // Undoes the last change of a task, and all that was changed along, unless somebody has changed the task since.
  async undo(task) {
    try {
      this.desk.view.changed(await this.tasks.undo(task.id, { ifMatch: task }));
    } catch (problem) {
      this.desk.failed(problem);
    }
  }

  // Changes when a task is due, or another field of it.
  plan(id, fields, words) {
    return this.desk.view.put(id, fields, {}, (title) => words ?? `“${title}” is changed.`);
  }

  async toToday(ids) {
    const before = ids.slice(0, MOST).map((id) => this.desk.view.taskOf(id));
    await this.change(before.map((task) => ({ op: "update", id: task.id, data: onDay(task, today()) })));
    const back = before.map((task) => ({ op: "update", id: task.id, data: backTo(task, { due_date: null }) }));
    const words = before.length === 1 ? `“${before[0].title}” is due today.` : `${before.length} tasks are due today.`;
    this.desk.say(words, { undo: () => this.change(back) });
  }

  async change(operations) {
    try {
      for (const { data } of await this.tasks.batch(operations)) this.desk.view.changed(data);
    } catch (problem) {
      this.desk.failed(problem);
    }
  }

  async remove({ id, title }) {
    const { desk } = this;
    try {
      await this.tasks.remove(id, { ifMatch: "*" }); // whatever it is now: it can be brought back
    } catch (problem) {
      return desk.failed(problem);
    }
    desk.saver.drop(id);
    desk.panel.hide();
    desk.find(`#board [data-id="${id}"] .title a`)?.focus(); // its neighbour gets the focus from it
    goTo(addressOf(desk.page.place()));
    desk.tallies.adjust(desk.taskOf(id), null);
    desk.view.removed(id);
    const undo = async () => {
      desk.view.changed(await this.tasks.restore(id, { ifMatch: "*" }));
      desk.say(`“${title}” is back.`);
    };
    desk.say(`“${title}” is in the trash.`, { undo, focus: true });
  }

  // The `note` says what was not understood.
  async create(fields, note = "") {
    const { desk } = this;
    try {
      const task = await this.tasks.create(fields);
      desk.tallies.adjust(null, task);
      await desk.view.changed(task);
      const isShown = desk.find(`#board [data-id="${task.id}"]`);
      const elsewhere = desk.filters.isNarrowed() ? ", but the filter hides it" : ` to “${desk.lists.nameOf(task.list_id)}”`;
      const where = isShown ? "" : elsewhere;
      desk.say(`“${task.title}” is added${where}.${note}`);
      return true;
    } catch (problem) {
      desk.failed(problem);
      return false;
    }
  }

  // Moves a task up or down among those that people arrange; returns whether there is such an order.
  step(row, by) {
    const { view } = this.desk;
    const section = view.rows.sectionOf(view.taskOf(row.dataset.id));
    const items = section.items();
    const index = items.indexOf(row);
    const goal = Math.max(0, Math.min(items.length - 1, index + by));
    if (index < 0) return false;
    if (goal !== index) section.dropped(row.dataset.id, besideAt(items.filter((item) => item !== row), goal));
    return true;
  }

  // What single keys do.
  keys() {
    const { desk } = this;
    return {
      add: () => desk.add.open(),
      search: () => desk.page.search(),
      undo: () => desk.notices.takeBack(),
      go: (place) => goTo(addressOf(place)),
      look: () => desk.page.otherLook(),
      help: () => document.querySelector("#keys").showModal(),
      tick: (id) => this.tick(id, desk.view.taskOf(id).status !== "done"),
      due: (id) => desk.page.openAt(id, "due"),
      priority: (id, priority) => this.plan(id, { priority }),
      list: (row) => row.querySelector(".grip").click(),
      step: (row, by) => this.step(row, by),
    };
  }
}
