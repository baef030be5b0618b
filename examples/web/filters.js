// The row that searches and narrows what is shown. It is folded away until it is wanted.
import { offer, PRIORITIES, zone } from "./words.js";

const PAUSE_MS = 250; // in typing

export class Filters {
  // `on` has narrowed(), which is told that something else is wanted, and labels(), which fetches the names of all labels.
  constructor(form, button, on) {
    Object.assign(this, { form, button, on, timer: null, hasLabels: false });
    offer(form.elements.priority, { ...PRIORITIES, none: "None" });
    form.addEventListener("submit", (event) => event.preventDefault()); // it has been searched already
    form.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.narrow(), PAUSE_MS);
    });
    form.addEventListener("keydown", ({ key }) => key === "Escape" && !this.isNarrowed() && this.fold(false));
    form.querySelector(".all").addEventListener("click", () => this.clear(() => this.narrow()));
    button.addEventListener("click", () => this.fold(form.hidden));
  }

  isNarrowed() {
    return Object.keys(this.wanted()).length > 0;
  }

  // What is asked for, as parameters of a listing.
  wanted() {
    const { q, priority, labels, overdue } = this.form.elements;
    const chosen = Object.entries({ q: q.value.trim(), priority: priority.value, labels: labels.value });
    return {
      ...Object.fromEntries(chosen.filter(([, value]) => value)),
      ...(overdue.checked && { overdue: true, timezone: zone() }),
    };
  }

  narrow() {
    this.tell();
    this.on.narrowed();
  }

  // The button says that something is hidden, also while the row is folded away.
  tell() {
    const isNarrowed = this.isNarrowed();
    this.button.classList.toggle("on", isNarrowed);
    this.form.querySelector(".all").hidden = !isNarrowed;
  }

  async fold(isOpen) {
    const { form, button } = this;
    const hadFocus = form.contains(document.activeElement);
    form.hidden = !isOpen;
    button.ariaExpanded = String(isOpen);
    if (isOpen) form.elements.q.focus();
    else if (hadFocus) button.focus();
    if (!isOpen || this.hasLabels) return;
    this.hasLabels = true;
    this.offer(await this.on.labels());
  }

  search() {
    this.fold(true);
    this.form.elements.q.select();
  }

  offer(names) {
    const { labels } = this.form.elements;
    const offered = new Set([...labels.options].map((option) => option.value));
    for (const name of names) if (!offered.has(name)) labels.append(new Option(name, name));
  }

  clear(then) {
    clearTimeout(this.timer);
    this.form.reset();
    this.tell();
    then?.();
  }
}
