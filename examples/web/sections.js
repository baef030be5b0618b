// The sections of a view: columns of the board, or groups of the list.
import { takes } from "./drag.js";
import { copyOf } from "./words.js";

// One section: its heading, its rows, and what is left to fetch, to unfold or to add.
class Section {
  // `what` is a section of a view (views.js), `look` how the view looks. `on` has dropped(id, beside), items(rows),
  // more(section), folded(key), toToday(ids), and add(text, fields), which resolves to whether that worked.
  constructor(what, look, on) {
    const element = copyOf(look === "board" ? "column" : "group");
    Object.assign(this, { what, look, on, element, key: what.key, name: what.name, dropped: on.dropped, next: null });
    [this.heading, this.count, this.list, this.more] = ["h2", ".count", ".rows", ".more"].map((each) =>
      element.querySelector(each));
    this.items = () => on.items([...this.list.children]);
    element.ariaLabel = what.name;
    element.dataset.key = what.key;
    if (look === "board") element.id = what.key;
    if (what.isQuiet) element.classList.add("quiet");
    element.querySelector(".name").textContent = what.name;
    this.more.ariaLabel = `More tasks: ${what.name}`;
    this.more.addEventListener("click", () => on.more(this));
    if (what.mayFold) this.makeFolding(element.querySelector(".fold"));
    if (what.canGoToToday) this.makePlan(element.querySelector(".to-today"));
    if (look === "board") this.makeAdding(...[".add-here", ".new-here"].map((each) => element.querySelector(each)));
    takes(element, { kind: "task", items: this.items, dropped: on.dropped });
  }

  makeFolding(fold) {
    fold.hidden = false;
    fold.ariaExpanded = String(!this.what.isFolded);
    fold.ariaLabel = this.what.name;
    fold.addEventListener("click", () => this.on.folded(this.key));
    this.list.hidden = this.what.isFolded;
  }

  makePlan(plan) {
    this.plan = plan;
    plan.addEventListener("click", () => this.on.toToday([...this.list.children].map((row) => row.dataset.id)));
  }

  // The field at the foot of a column stays open, since tasks often come in a row.
  makeAdding(button, form) {
    const { title } = form.elements;
    button.ariaLabel = `Add to ${this.name}`;
    title.ariaLabel = `Title for ${this.name}`;
    const open = (isOpen) => {
      form.hidden = !isOpen;
      button.hidden = isOpen;
      (isOpen ? title : button).focus();
    };
    button.addEventListener("click", () => open(true));
    form.addEventListener("keydown", ({ key }) => key === "Escape" && open(false));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const text = title.value;
      title.value = ""; // so that a second Enter adds nothing
      if (text.trim() && !(await this.on.add(text, { status: this.key }))) title.value ||= text;
    });
  }

  // Says how many there are, and whether there is more.
  tell() {
    const { key, isFolded, isQuiet, isAlways } = this.what;
    const countsAll = this.look === "board" || ["done", "cancelled"].includes(key); // else, what was done just now is not counted
    const number = [...this.list.children].filter((row) => countsAll || !row.matches(".done")).length;
    const isUnknown = isFolded || (isQuiet && number === 0);
    this.count.textContent = isUnknown ? "" : this.next ? `${number}+` : number;
    this.more.hidden = !this.next;
    if (this.plan) this.plan.hidden = number === 0;
    if (this.plan) this.plan.textContent = { 1: "Move to today", 2: "Move both to today" }[number] ?? "Move all to today";
    this.element.hidden = !isAlways && this.list.childElementCount === 0;
    if (this.element.hidden && this.element.contains(document.activeElement)) this.heading.blur();
  }
}

// All sections of a view, by key.
export class Sections {
  // `on` has what one section tells, but items(key, rows) and dropped(key, id, beside).
  constructor(place, on) {
    Object.assign(this, { place, on, made: new Map(), view: null });
  }

  all() {
    return [...this.made.values()];
  }

  at(key) {
    if (!this.made.has(key)) this.put(key);
    return this.made.get(key);
  }

  put(key) {
    const what = this.view.sections.find((each) => each.key === key) ?? this.view.sectionFor(key);
    const section = new Section(what, this.view.look, {
      ...this.on,
      items: (rows) => this.on.items(key, rows),
      dropped: (id, beside) => this.on.dropped(key, id, beside),
    });
    this.made.set(key, section);
    const next = [...this.place.children].find((child) => this.isBefore(key, child.dataset.key));
    this.place.insertBefore(section.element, next ?? null);
  }

  // Sections that are not known beforehand are days, in their order.
  isBefore(one, other) {
    const rank = (key) => this.view.sections.findIndex((each) => each.key === key);
    return this.view.sectionFor ? one < other : rank(one) < rank(other);
  }

  // Shows the sections that a view always has; one that is folded or unfolded is made anew.
  follow(wanted, forget) {
    this.view = wanted;
    this.place.className = wanted.look;
    for (const { key, isFolded } of wanted.sections) {
      const old = this.made.get(key);
      if (old && old.what.isFolded !== isFolded) this.renew(old, forget);
      this.at(key);
    }
  }

  renew(old, forget) {
    const hadFocus = old.element.contains(document.activeElement);
    for (const row of [...old.list.children]) forget(row.dataset.id);
    this.made.delete(old.key);
    old.element.remove();
    this.put(old.key);
    if (hadFocus) this.at(old.key).element.querySelector(".fold").focus();
  }

  clear() {
    this.made.clear();
    this.place.replaceChildren();
  }
}
