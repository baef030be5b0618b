// The rows that are shown: each in its section and place, or below the task that it is a subtask of.
import { closeMenu } from "./menu.js";
import { isUnfolded } from "./nest.js";
import { besideAt, inOrder, putBefore } from "./order.js";
import { Row } from "./row.js";

export class Rows {
  // The view knows the tasks, and which sections there are.
  constructor(view) {
    Object.assign(this, { view, shown: new Map() }); // by id
  }

  get(id) {
    return this.shown.get(id);
  }

  of(element) {
    return this.get(element?.dataset.id);
  }

  ids() {
    return [...this.shown.keys()];
  }

  clear() {
    this.shown.clear();
  }

  subtasksOf(id) {
    return [...this.shown.values()].filter(({ task }) => task.parent_id === id);
  }

  // The tasks above and below one, which may change along with it.
  around(id) {
    if (!this.shown.has(id)) return []; // it was deleted while it was dragged
    const { element } = this.get(id);
    const isAround = (other) => other !== element && (other.contains(element) || element.contains(other));
    return [...this.view.place.querySelectorAll(".task")].filter(isAround).map((other) => other.dataset.id);
  }

  // Where a task stands: below the task that it is a subtask of, or in its section, if that one is not shown; or nowhere.
  sectionOf(task) {
    const { shown, sections } = this.view;
    const parent = shown.isFlat ? null : this.get(task.parent_id);
    const row = this.get(task.id);
    if (parent && !row?.element.contains(parent.element)) return parent.nest;
    const now = row?.element.parentElement?.closest("[data-key]")?.dataset.key;
    const key = shown.holds(task) ? shown.keyOf(task, now) : null;
    return key === null ? null : sections.at(key);
  }

  // Beside what a task stands, where tasks are arranged.
  besideOf(id) {
    const row = this.get(id);
    const items = (row && this.sectionOf(row.task)?.items()) ?? [];
    const index = items.indexOf(row?.element);
    return index < 0 ? {} : besideAt(items.filter((item) => item !== row.element), index);
  }

  // Makes the page agree with what is known of a task.
  draw(id) {
    const task = this.view.taskOf(id);
    let row = this.get(id);
    if (!task || !this.sectionOf(task)) {
      if (row) this.takeAway(row);
      return;
    }
    const isNew = !row;
    if (isNew) this.shown.set(id, (row = new Row(this.view)));
    row.show(task);
    this.stand(row);
    if (!isNew) return;
    for (const { task: each } of this.subtasksOf(id)) this.draw(each.id); // they were shown without it
    if (this.view.place.ariaBusy === "false") this.showNest(id);
  }

  // A list has another name or colour, or a draft has been saved.
  redraw(id) {
    for (const row of id ? [this.get(id)].filter(Boolean) : this.shown.values()) row.show(row.task);
  }

  showNest(id) {
    if (isUnfolded(id) && !this.view.isFlat()) this.view.nested.fetch(id);
  }

  stand(row) {
    const { task, element } = row;
    const above = element.parentElement?.closest(".task");
    const { list, key, isNest } = this.sectionOf(task);
    const isBefore = isNest ? (one, other) => inOrder(one, other) < 0 : this.view.shown.isBefore(key);
    const others = [...list.children].filter((other) => other !== element && this.of(other)); // without what goes away
    const next = others.find((other) => isBefore(task, this.of(other).task)) ?? null;
    if (element.parentElement !== list || element.nextElementSibling !== next) putBefore(list, element, next);
    this.of(above)?.nest.tally();
    if (isNest) this.of(list.closest(".task")).nest.tally();
    this.view.tally();
  }

  takeAway({ element, task }) {
    closeMenu(element); // which gives the focus back to the row
    const neighbour = element.nextElementSibling ?? element.previousElementSibling;
    const heading = element.closest("[data-key]").querySelector("h2");
    const above = element.parentElement.closest(".task");
    this.shown.delete(task.id);
    for (const each of this.subtasksOf(task.id)) this.draw(each.task.id);
    const hadFocus = element.contains(document.activeElement);
    element.remove();
    this.of(above)?.nest.tally();
    if (hadFocus) (neighbour?.querySelector(".title a") ?? heading).focus();
  }
}
