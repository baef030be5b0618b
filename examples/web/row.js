// One task in a list or on the board: what is shown of it, and what can be done with it there.
import { canBeDragged } from "./drag.js";
import { opensMenu } from "./menu.js";
import { Nest } from "./nest.js";
import { taskAddress } from "./views.js";
import { addressesIn, copyOf, dotOf, facts, hostOf, linked, linkTo, STATUSES, textIn } from "./words.js";

const isClosed = (status) => status === "done" || status === "cancelled";

export class Row {
  // `view` has what the row tells: tick(id, isDone) and move(id, fields); the `rows` and the `lists`;
  // whether it isFlat(), and isBoard(); isUnsaved(id).
  constructor(view) {
    Object.assign(this, { view, element: copyOf("row"), task: null });
    [this.title, this.note, this.facts, this.tick, this.grip] = [".title a", ".note", ".facts", ".tick", ".grip"].map((each) =>
      this.element.querySelector(each));
    this.nest = new Nest(this, view);
    this.tick.addEventListener("change", async () => {
      await view.tick(this.task.id, this.tick.checked);
      this.tick.checked = this.task.status === "done"; // as before, if that has failed
    });
    canBeDragged(this.element.querySelector(".face"), { element: this.element, kind: "task", name: () => this.task.title });
    opensMenu(this.grip, this.moving());
  }

  // What the menu asks and does.
  moving() {
    const { view } = this;
    const section = () => view.rows.sectionOf(this.task);
    return {
      element: this.element,
      name: () => this.task.title,
      items: () => section()?.items() ?? [],
      dropped: (id, beside) => section().dropped(id, beside),
      where: (place) => `${place} in ${section().name}`,
      options: () => view.lists.options(),
      listId: () => this.task.list_id,
      into: (id) => view.lists.take(this.task.id, id),
      status: () => this.task.status,
      become: (status) => view.put(this.task.id, { status }),
      levels: () => this.nest.levels(),
    };
  }

  show(task) {
    const marks = this.marksOf(task);
    const isOther = JSON.stringify([this.task, this.marks]) !== JSON.stringify([task, marks]);
    Object.assign(this, { task, marks });
    this.element.dataset.id = task.id;
    this.nest.tally();
    if (!isOther) return; // so that what is selected stays selected
    this.element.dataset.status = task.status;
    this.element.classList.toggle("done", isClosed(task.status));
    this.title.textContent = task.title;
    this.title.href = taskAddress(task.id);
    this.note.replaceChildren(...linked(task.description?.trim() ?? ""));
    const addresses = addressesIn(task.title).map(addressOf);
    this.facts.replaceChildren(...marks.facts.map(factOf), ...addresses, ...marks.list.map(factOf));
    this.showControls(task);
  }

  // What a row says that does not stand in the task alone.
  marksOf(task) {
    const unsaved = this.view.isUnsaved(task.id) ? [{ kind: "late", text: "Not saved yet" }] : [];
    return { facts: [...unsaved, ...facts(task, { isBoard: this.view.isBoard() })], list: this.view.lists.facts(task) };
  }

  showControls(task) {
    this.tick.checked = task.status === "done";
    this.tick.dataset.priority = task.priority ?? "";
    this.tick.ariaLabel = `Done: ${task.title}`; // each checkbox and button has a name of its own
    this.grip.ariaLabel = `Move ${task.title}`;
    this.tick.title = task.status === "cancelled" ? STATUSES.cancelled : "";
  }
}

function factOf({ text, kind, color }) {
  const fact = textIn("li", text, kind);
  if (kind === "in") fact.prepend(dotOf(color));
  return fact;
}

function addressOf(address) {
  const item = document.createElement("li");
  item.append(linkTo(address, hostOf(address)));
  return item;
}
