// The field for a new task. It shows what it has understood as chips; taking one away puts it back into the title.
import { fieldsOf, parse } from "./parse.js";
import { dotOf, icon, textIn, today } from "./words.js";

const TYPED = "task-api-new"; // in sessionStorage, so that a reload keeps it
const KINDS = { day: "date", time: "time", priority: "priority", label: "label", list: "list" };
const MOST_OFFERS = 3;

export const forgetTyped = () => sessionStorage.removeItem(TYPED);

export class Add {
  // `on` has place(), what is shown; create(fields, note), which resolves to whether that worked; makeList(name); and the
  // `lists`.
  constructor(form, on) {
    Object.assign(this, { form, on, title: form.elements.title, isBusy: false });
    [this.chips, this.button] = [".chips", ".main"].map((each) => form.querySelector(each));
    this.ignored = new Set(); // what was taken back
    this.title.value = new URLSearchParams(location.search).get("add") ?? sessionStorage.getItem(TYPED) ?? "";
    if (location.search) history.replaceState(null, "", location.pathname + location.hash); // a reload brings what is typed
    this.title.addEventListener("input", () => this.show());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    form.addEventListener("keydown", ({ key }) => key === "Escape" && this.close());
    form.addEventListener("click", ({ target }) => target === form && this.close()); // beside the sheet, on a phone
  }

  open() {
    this.form.classList.add("open");
    this.title.focus();
    this.title.select();
  }

  // What is typed stays.
  close() {
    this.form.classList.remove("open");
    this.title.blur();
  }

  // A text as it is understood at this place: in Today, a new task is due today.
  read(text, ignored = new Set()) {
    const understood = parse(text, { lists: this.on.lists.all(), ignored });
    const isDue = understood.found.some(({ kind }) => kind === "day" || kind === "time");
    const isImplied = this.on.place() === "today" && !isDue && !ignored.has("today") && understood.title;
    const due = { kind: "day", value: today(), source: "today", words: "Today" };
    return isImplied ? { ...understood, found: [...understood.found, due] } : understood;
  }

  // The same as fields of a task.
  fields(text, ignored) {
    const fields = fieldsOf(this.read(text, ignored));
    if (!fields.title) fields.title = text.trim(); // “Tomorrow” alone is a title
    return { list_id: this.on.lists.chosen(), ...fields };
  }

  show() {
    sessionStorage.setItem(TYPED, this.title.value);
    if (!this.title.value) this.ignored.clear();
    const { found, unknown } = this.read(this.title.value, this.ignored);
    const offers = unknown ? this.offersFor(unknown) : [];
    this.chips.replaceChildren(...found.map((each) => this.chipOf(each)), ...offers);
    this.form.querySelector(".understood").hidden = !this.title.value;
  }

  chipOf({ kind, words, source, color }) {
    const chip = textIn("span", "", "chip");
    if (kind === "list") chip.append(dotOf(color));
    chip.append(words);
    const away = textIn("button", "", "icon");
    away.type = "button";
    away.ariaLabel = `Not a ${KINDS[kind]}: ${words}`;
    away.append(icon("close"));
    away.addEventListener("click", () => {
      this.ignored.add(source);
      this.show();
      this.title.focus();
    });
    chip.append(away);
    return chip;
  }

  // There is no list of this name. Perhaps one that begins like this is meant, or a new one.
  offersFor({ name, source }) {
    const isLike = (list) => list.name.toLowerCase().startsWith(name.toLowerCase());
    const like = this.on.lists.all().filter(isLike).slice(0, MOST_OFFERS);
    const complete = ({ name: whole }) =>
      this.offer(whole, () => this.title.setRangeText(`#${whole} `, ...this.placeOf(source), "end"));
    return [...like.map(complete), this.offer(`Make the list “${name}”`, () => this.on.makeList(name))];
  }

  placeOf(source) {
    const from = this.title.value.indexOf(source);
    return [from, from + source.length];
  }

  offer(words, act) {
    const chip = textIn("button", "", "chip offer");
    chip.type = "button";
    chip.append(icon("plus"), words);
    chip.addEventListener("click", async () => {
      await act();
      this.show();
      this.title.focus();
    });
    return chip;
  }

  async send() {
    const typed = this.title.value;
    if (this.isBusy || !typed.trim()) return; // Enter was pressed twice
    this.isBusy = true;
    this.button.ariaDisabled = "true"; // not `disabled`, which would lose the focus
    const { unknown } = this.read(typed, this.ignored);
    const note = unknown ? ` There is no list “${unknown.name}”.` : "";
    const isDone = await this.on.create(this.fields(typed, this.ignored), note);
    this.isBusy = false;
    this.button.ariaDisabled = null;
    if (!isDone || this.title.value !== typed) return; // what is typed stays
    this.title.value = "";
    this.show();
    this.title.focus();
  }
}
