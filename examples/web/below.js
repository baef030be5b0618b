// The subtasks of the task in the panel: each with its checkbox, and a field for one more.
import { inOrder } from "./order.js";
import { taskAddress } from "./views.js";
import { copyOf } from "./words.js";

export class Below {
  // `on` has tick(id, isDone), add(fields), which resolves to whether that worked, and failed(error).
  constructor(place, tasks, on) {
    Object.assign(this, { place, tasks, on, task: null });
    [this.heading, this.list, this.form] = ["h3", "ul", "form"].map((each) => place.querySelector(each));
    this.known = new Map(); // the subtasks, by id
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.add(this.form.elements.title);
    });
  }

  async add(field) {
    const text = field.value;
    field.value = ""; // so that a second Enter adds nothing
    if (!(await this.on.add({ title: text, parent_id: this.task.id }))) field.value ||= text;
  }

  async show(wanted) {
    this.task = wanted;
    this.known.clear();
    this.draw();
    try {
      const { tasks: found } = await this.tasks.subtasks(wanted.id);
      if (this.task !== wanted) return; // another one is shown by now
      for (const each of found) this.known.set(each.id, each);
      this.draw();
    } catch (problem) {
      this.on.failed(problem);
    }
  }

  // Any task has changed, or was deleted.
  arrived(now, id) {
    if (!this.task) return;
    const isBelow = now && !now.deleted_at && now.parent_id === this.task.id;
    if (this.known.get(id)?.revision > now?.revision || (!isBelow && !this.known.has(id))) return;
    if (isBelow) this.known.set(id, now);
    else this.known.delete(id);
    this.draw();
  }

  draw() {
    const all = [...this.known.values()].sort(inOrder);
    const done = all.filter(({ status }) => status === "done").length;
    this.heading.textContent = all.length > 0 ? `Subtasks, ${done} of ${all.length}` : "Subtasks";
    const { activeElement } = document;
    const focused = this.list.contains(activeElement) && activeElement.closest("[data-id]").dataset.id;
    const isTick = activeElement.matches?.(".tick");
    this.list.replaceChildren(...all.map((each) => this.itemOf(each)));
    if (focused) this.list.querySelector(`[data-id="${focused}"] ${isTick ? ".tick" : "a"}`)?.focus();
  }

  itemOf({ id, title, status, priority }) {
    const item = copyOf("subtask");
    const [tick, link] = ["input", "a"].map((each) => item.querySelector(each));
    item.dataset.id = id;
    item.classList.toggle("done", status === "done" || status === "cancelled");
    tick.checked = status === "done";
    tick.dataset.priority = priority ?? "";
    tick.ariaLabel = `Subtask done: ${title}`;
    tick.addEventListener("change", () => this.on.tick(id, tick.checked));
    link.textContent = title;
    link.href = taskAddress(id);
    return item;
  }
}
