// The subtasks of a row: how many are done, and their rows below it, folded or not. Here, rows become subtasks.
import { takes } from "./drag.js";
import { taskAddress } from "./views.js";

const UNFOLDED = "task-api-unfolded"; // in sessionStorage, so that a reload keeps it
const DEEPEST = ".nest .nest .nest .nest .task"; // on the fifth level, where the service takes no subtasks
const EDGE = 0.25; // of a row: what is dropped there comes before or after it

const unfolded = () => new Set(JSON.parse(sessionStorage.getItem(UNFOLDED) ?? "[]"));
export const forgetUnfolded = () => sessionStorage.removeItem(UNFOLDED);
export const isUnfolded = (id) => unfolded().has(id);

export class Nest {
  // `view` has what it tells: put(id, fields, beside, words), and add(fields), which returns whether that worked; the `rows`,
  // isFlat(), and nested, which counts and fetches subtasks.
  constructor(row, view) {
    Object.assign(this, { row, view, isNest: true });
    [this.face, this.nest, this.list, this.toggle, this.form] = [".face", ".nest", ".subtasks", ".toggle", ".add-subtask"].map(
      (each) => row.element.querySelector(each));
    this.items = () => [...this.list.children];
    this.dropped = (id, beside) => view.put(id, { parent_id: row.task.id }, beside);
    takes(this.list, { kind: "task", items: this.items, dropped: this.dropped });
    takes(this.face, { kind: "task", fits: (_, y) => this.fits(y), dropped: (id) => this.adopt(id) });
    this.toggle.addEventListener("click", () => {
      if (view.isFlat()) location.hash = taskAddress(row.task.id); // its subtasks stand in the panel
      else this.fold(this.nest.hidden);
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.add(this.form.elements.title);
    });
  }

  get name() {
    return `“${this.row.task.title}”`;
  }

  async add(field) {
    const text = field.value;
    field.value = ""; // so that a second Enter adds nothing
    if (!(await this.view.add({ title: text, parent_id: this.row.task.id }))) field.value ||= text;
  }

  canHold() {
    return !this.row.element.matches(DEEPEST) && !this.view.isFlat();
  }

  fold(isOpen) {
    const ids = unfolded();
    isOpen ? ids.add(this.row.task.id) : ids.delete(this.row.task.id);
    sessionStorage.setItem(UNFOLDED, JSON.stringify([...ids]));
    if (isOpen) this.view.nested.fetch(this.row.task.id);
    this.tally();
  }

  // Whether what is dropped at this height becomes a subtask. Between the face and the nest below it, nothing else could.
  fits(y) {
    const { top, height } = this.face.getBoundingClientRect();
    const part = (y - top) / height;
    return this.canHold() && part > EDGE && (part < 1 - EDGE || !this.nest.hidden);
  }

  // Makes a row a subtask, and shows where it has gone.
  adopt(id) {
    this.fold(true);
    return this.view.put(id, { parent_id: this.row.task.id }, {}, (title) => `“${title}” is a subtask of ${this.name} now.`);
  }

  // A level in is under the row above it, and a level out is after the row that it is under.
  levels() {
    const { row, view } = this;
    const above = view.rows.of(row.element.previousElementSibling);
    const parent = view.rows.of(row.element.parentElement.closest(".task"));
    const isNear = above?.nest.canHold() && above.task.list_id === row.task.list_id;
    return {
      in: isNear && { text: `Make a subtask of ${above.nest.name}`, act: () => above.nest.adopt(row.task.id) },
      out: parent && { text: `Move out of ${parent.nest.name}`, act: () => this.leave(parent) },
    };
  }

  leave(parent) {
    const words = (title) => `“${title}” is no longer a subtask of ${parent.nest.name}.`;
    return this.view.put(this.row.task.id, { parent_id: parent.task.parent_id }, { after: parent.task.id }, words);
  }

  tally() {
    const { title, id } = this.row.task;
    const isOpen = isUnfolded(id) && !this.view.isFlat();
    const { total, done } = this.view.nested.countsOf(this.row.task, this.items());
    const text = total > 0 ? `${done} of ${total}` : "";
    if (this.toggle.textContent !== text) this.toggle.textContent = text;
    this.toggle.ariaLabel = `Subtasks of ${title}${text ? `: ${text} done` : ""}`;
    this.toggle.ariaExpanded = String(isOpen);
    this.nest.hidden = !isOpen;
    this.list.ariaLabel = `Subtasks of ${title}`;
    this.form.elements.title.ariaLabel = `New subtask of ${title}`;
  }
}
