// The side bar: the places to look at, with how many open tasks each has, and the lists in their order.
import { canBeDragged, takes } from "./drag.js";
import { closeMenu, opensMenu } from "./menu.js";
import { putBefore } from "./order.js";
import { addressOf, listAddress } from "./views.js";
import { copyOf, dotOf, icon, onDay, today } from "./words.js";

export class Sidebar {
  // `on` has place(), what is shown; go(place); dropped(taskId, fields); taskOf(id); and attempt(work), which says what went
  // wrong. The `lists` are those of lists.js.
  constructor(side, lists, on) {
    Object.assign(this, { side, lists, on, counts: {} });
    [this.names, this.archive, this.form] = [".names", ".archive", ".new-list"].map((name) => side.querySelector(name));
    this.unfold = side.querySelector(".add-list");
    this.entries = new Map(); // of lists, by id
    this.move = (id, beside) => lists.move(id, beside);
    this.items = () => [...this.names.children];
    takes(this.names, { kind: "list", items: this.items, dropped: this.move });
    const [day, inbox] = ["today", "inbox"].map((place) => side.querySelector(`[href="#${place}"]`));
    takes(day, { kind: "task", dropped: (id) => on.dropped(id, onDay(on.taskOf(id), today())) });
    takes(inbox, { kind: "task", dropped: (id) => lists.take(id, null) });
    this.listen();
  }

  listen() {
    const { form } = this;
    this.unfold.addEventListener("click", () => this.fold(form.hidden));
    form.addEventListener("keydown", ({ key }) => key === "Escape" && this.fold(false));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.on.attempt(async () => {
        const list = await this.lists.create({ name: form.elements.name.value, color: form.elements.color.value });
        form.reset();
        this.fold(false);
        this.on.go(`list/${list.id}`);
      });
    });
  }

  fold(isOpen) {
    const { form, unfold } = this;
    const hadFocus = form.contains(document.activeElement);
    form.hidden = !isOpen;
    unfold.ariaExpanded = String(isOpen);
    if (isOpen) form.elements.name.focus();
    else if (hadFocus) unfold.focus();
  }

  draw() {
    this.drawIn(this.names, this.lists.all());
    const archived = this.lists.all({ archived: true });
    this.archive.hidden = archived.length === 0;
    this.drawIn(this.archive.querySelector("ul"), archived);
    for (const link of this.links()) {
      link.ariaCurrent = link.getAttribute("href") === addressOf(this.on.place()) ? "page" : null;
    }
    this.tell();
  }

  links() {
    return this.side.querySelectorAll("a[href^='#']");
  }

  drawIn(list, wanted) {
    const ids = new Set(wanted.map(({ id }) => id));
    for (const element of [...list.children]) if (!ids.has(element.dataset.id)) this.takeAway(element);
    wanted.forEach((each, index) => {
      const element = this.entryOf(each, list);
      this.showName(element, each);
      if (list.children[index] !== element) putBefore(list, element, list.children[index] ?? null);
    });
  }

  takeAway(element) {
    const { id } = element.dataset;
    const hadFocus = element.contains(document.activeElement);
    closeMenu(element);
    if (this.entries.get(id) === element) this.entries.delete(id);
    element.remove();
    if (hadFocus) this.side.querySelector(".places a").focus();
  }

  showName(element, { id, name, color }) {
    const link = element.querySelector("a");
    const grip = element.querySelector(".grip");
    link.querySelector(".name").textContent = name;
    link.querySelector(".dot").replaceWith(dotOf(color));
    link.querySelector(".shared").hidden = !this.lists.isShared(id);
    if (grip) grip.ariaLabel = `Move ${name}`;
  }

  entryOf({ id, archived }) {
    const old = this.entries.get(id);
    if (old && Boolean(old.querySelector(".grip")) !== archived) return old;
    old?.remove();
    const element = copyOf("list");
    element.dataset.id = id;
    element.querySelector("a").href = listAddress(id);
    element.querySelector(".shared").append(icon("share"));
    takes(element, { kind: "task", dropped: (taskId) => this.lists.take(taskId, id) });
    const grip = element.querySelector(".grip");
    if (archived) grip.remove();
    else this.canBeArranged(element, grip, id);
    this.entries.set(id, element);
    return element;
  }

  canBeArranged(element, grip, id) {
    const name = () => this.lists.nameOf(id);
    canBeDragged(element, { element, kind: "list", name });
    opensMenu(grip, { element, name, items: this.items, dropped: this.move, where: (place) => `${place} lists` });
  }

  // How many open tasks there are at each place.
  tell(now = this.counts) {
    this.counts = now;
    for (const link of this.links()) {
      const place = link.getAttribute("href").slice(1);
      const count = link.querySelector(".count");
      if (count) count.textContent = now[place] || "";
    }
    this.side.querySelector(".places .late").textContent = now.late ? `${now.late} late` : "";
  }
}
