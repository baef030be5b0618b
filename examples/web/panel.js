// The panel of one task: leaving a field saves it, and nothing that is typed is lost.
import { Below } from "./below.js";
import { partOfField, readPart, showPart } from "./fields.js";
import { planButtons, planFor, PLANS } from "./plan.js";
import { addressesIn, explain, inWords, linkTo, offer, PARTS, PRIORITIES, STATUSES, textIn } from "./words.js";

const TYPED = ["title", "description", "labels", "due", "due_time", "start", "start_time"]; // saved when they are left

const DELETED = "This task was deleted elsewhere. What you typed is still here.";

// `on` has taskOf(id), changed(task), tick(id, isDone), remove(task), closed(id), failed(error), add(fields); the `lists`.
export class Panel {
  constructor(panel, tasks, saver, on) {
    Object.assign(this, { panel, tasks, saver, on, form: panel.querySelector("form"), task: null, wasBusy: false });
    this.below = new Below(this.find(".below"), tasks, on);
    offer(this.form.elements.status, STATUSES);
    offer(this.form.elements.priority, PRIORITIES);
    this.listen();
  }

  find(selector) {
    return this.panel.querySelector(selector);
  }

  isOpen() {
    return this.task !== null;
  }

  id() {
    return this.task?.id;
  }

  listen() {
    const { form } = this;
    form.addEventListener("input", ({ target }) => this.typed(target));
    form.addEventListener("change", ({ target }) => {
      this.typed(target);
      if (!TYPED.includes(target.name)) this.save();
    });
    form.addEventListener("focusout", ({ target }) => TYPED.includes(target.name) && this.save());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    this.panel.addEventListener("keydown", ({ key, target }) => {
      if (key === "Escape") this.close();
      if (key === "Enter" && target.form === form && target.matches("input")) this.save();
    });
    const acts = {
      ".close": () => this.close(), ".delete": () => this.on.remove(this.task), ".discard": () => this.drop(),
      ".mine": () => this.saver.keepMine(this.task.id).then(() => this.focusTitle()), ".theirs": () => this.drop(),
    };
    for (const [selector, act] of Object.entries(acts)) this.find(selector).addEventListener("click", act);
    this.find(".tick").addEventListener("change", ({ target }) => this.on.tick(this.task.id, target.checked));
    this.find(".plans").addEventListener("click", ({ target }) => target.dataset.plan && this.plan(target.dataset.plan));
  }

  // Shows a task, which may not be on the page.
  async open(id) {
    if (this.task?.id === id) return;
    if (this.task) this.save();
    try {
      this.task = this.on.taskOf(id) ?? (await this.tasks.get(id));
    } catch (problem) {
      this.on.failed(problem);
      return this.on.closed(id);
    }
    this.form.elements.list_id.replaceChildren(...this.on.lists.options());
    this.find(".plans").replaceChildren(...planButtons(["today", "tomorrow", "week", "none"])); // of this day
    this.panel.hidden = false;
    this.panel.scrollTop = 0;
    document.body.classList.add("with-panel");
    this.show();
    this.below.show(this.task);
    this.focusTitle();
  }

  // A finger would call up the keyboard of a phone.
  focusTitle() {
    if (this.task) (matchMedia("(pointer: coarse)").matches ? this.panel : this.form.elements.title).focus();
  }

  focus(name) {
    this.form.elements[name].focus();
  }

  // What is typed stays, and is saved.
  close() {
    const { id } = this.task;
    this.save();
    this.hide();
    this.on.closed(id);
  }

  hide() {
    this.task = null;
    this.panel.hidden = true;
    document.body.classList.remove("with-panel");
  }

  typed(field) {
    const part = partOfField(field.name);
    if (!this.task || !PARTS[part]) return; // a field that goes away has said what it held
    this.saver.type(this.current(), part, readPart(this.form, part));
    if (part === "description") this.fit();
  }

  // A day by one press. It is shown and saved as if it had been typed.
  plan(name) {
    const wanted = planFor(this.task, PLANS[name].day());
    showPart(this.form, "dates", { ...this.task, ...wanted });
    this.typed(this.form.elements.due);
    this.save();
  }

  // The task that is typed into, as it was seen when that began.
  current() {
    return this.saver.draft(this.task.id)?.seen ?? this.task;
  }

  save() {
    if (this.task) return this.saver.save(this.task.id);
  }

  drop() {
    const { theirs, problem } = this.saver.draft(this.task.id);
    this.saver.drop(this.task.id);
    if (problem?.status === 404) return this.close();
    if (theirs) this.arrived(theirs);
    this.show();
    this.focusTitle();
  }

  // It has changed, here or elsewhere; null: it was deleted.
  arrived(now, id = now?.id) {
    this.below.arrived(now, id);
    if (id !== this.task?.id) return;
    if (!now || now.deleted_at) return this.saver.has(id) ? this.tell(DELETED) : this.close();
    if (now.revision < this.task.revision) return;
    this.task = now;
    this.show();
  }

  // Shows all parts but those that hold what was typed and is not stored yet.
  show() {
    const draft = this.saver.draft(this.task.id);
    for (const part of Object.keys(PARTS)) {
      const typed = draft?.typed[part];
      const isTypedInto = document.activeElement?.form === this.form && partOfField(document.activeElement.name) === part;
      if (typed && isTypedInto) continue;
      showPart(this.form, part, { ...this.task, ...typed });
    }
    this.find(".tick").checked = this.task.status === "done";
    this.find(".tick").dataset.priority = this.task.priority ?? "";
    const addresses = addressesIn(`${this.task.title} ${this.task.description ?? ""}`);
    this.find(".addresses").replaceChildren(...addresses.map((each) => linkTo(each)));
    this.fit();
    this.stated(this.task.id);
  }

  // The field for notes is as high as its text.
  fit() {
    const { description } = this.form.elements;
    description.rows = Math.min(14, Math.max(3, description.value.split("\n").length + 1));
  }

  // Says what has become of what was typed.
  stated(id) {
    if (id !== this.task?.id) return;
    const draft = this.saver.draft(id);
    const isBusy = this.saver.isBusy(id);
    const words = !draft ? (this.wasBusy ? "Saved" : "") : isBusy ? "Saving…" : "Not saved yet";
    this.wasBusy = isBusy || (this.wasBusy && !draft);
    this.find(".saved").textContent = words;
    this.find(".saved").classList.toggle("waits", Boolean(draft));
    this.tell(draft?.problem && draft.problem.status !== 0 ? explain(draft.problem) : "");
    this.showConflict(draft);
  }

  tell(text) {
    this.find(".refused").hidden = !text;
    this.find(".refused p").textContent = text;
  }

  showConflict(draft) {
    const clash = this.find(".clash");
    const hadFocus = clash.contains(document.activeElement);
    clash.hidden = !draft?.theirs;
    if (!draft?.theirs) return hadFocus && this.focusTitle();
    const { typed, seen, theirs } = draft;
    const said = (part, task) => inWords(part, task, this.on.lists);
    const parts = Object.keys(typed).filter((part) => said(part, theirs) !== said(part, seen));
    clash.querySelector("dl").replaceChildren(...parts.flatMap((part) => [
      textIn("dt", PARTS[part].name),
      textIn("dd", `Yours: ${said(part, { ...seen, ...typed[part] })}`, "yours"),
      textIn("dd", `Theirs: ${said(part, theirs)}`),
    ]));
  }
}
