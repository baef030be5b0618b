// The panel of one task: leaving a field saves it, and nothing that is typed is lost.
import { inOrder } from "./drag.js";
import { taskAddress } from "./views.js";
import {
  addressesIn, copyOf, dayOf, explain, inWords, linkTo, moment, offer, PARTS, PRIORITIES, STATUSES, textIn, timeOf,
  zone,
} from "./words.js";

const TYPED = ["title", "description", "labels", "due", "due_time", "start", "start_time"]; // saved when they are left

const DELETED = "This task was deleted elsewhere. What you typed is still here.";

// `on` has taskOf(id), changed(task), tick(id, isDone), remove(task), closed(id), failed(error), add(fields); the `lists`.
export class Panel {
  constructor(panel, tasks, saver, on) {
    Object.assign(this, { panel, tasks, saver, on, form: panel.querySelector("form"), task: null, wasBusy: false });
    this.below = makeBelow(this.find(".below"), tasks, on);
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

// The fields of the panel, and what they hold as fields of a task.

const split = (day, time) => (time ? [dayOf(new Date(time)), timeOf(new Date(time))] : [day ?? "", ""]);

// Which part of a task each field belongs to.
export const partOfField = (name) => ({ due: "dates", due_time: "dates", start: "dates", start_time: "dates" })[name] ?? name;

// Shows one part of a task. `typed` may hold some of its fields only.
export function showPart({ elements }, part, task) {
  if (part === "dates") {
    [elements.due.value, elements.due_time.value] = split(task.due_date, task.due_at);
    [elements.start.value, elements.start_time.value] = split(task.start_date, task.start_at);
  } else if (part === "labels") elements.labels.value = task.labels.join(", ");
  else if (elements[part].value !== (task[part] ?? "")) elements[part].value = task[part] ?? "";
}

// What a part holds now, as fields of a task.
export function readPart({ elements }, part) {
  if (part === "dates") return readDates(elements);
  if (part === "labels") return { labels: elements.labels.value.split(",").map((label) => label.trim()).filter(Boolean) };
  if (part === "title" || part === "status") return { [part]: elements[part].value };
  return { [part]: elements[part].value || null };
}

// A due and a start are both days, or both times: a time beside one of them makes both times.
function readDates({ due, due_time: dueTime, start, start_time: startTime }) {
  if (!due.value && !start.value) return { due_date: null, due_at: null, start_date: null, start_at: null };
  const hasTime = Boolean((due.value && dueTime.value) || (start.value && startTime.value));
  const dueFields = one("due", due.value, hasTime && (dueTime.value || "23:59"));
  const startFields = one("start", start.value, hasTime && (startTime.value || "00:00"));
  return { ...dueFields, ...startFields, ...(hasTime && { timezone: zone() }) };
}

function one(name, day, time) {
  if (!day) return { [`${name}_date`]: null, [`${name}_at`]: null };
  return time ? { [`${name}_date`]: null, [`${name}_at`]: moment(day, time) } : { [`${name}_date`]: day, [`${name}_at`]: null };
}

// The subtasks of the task in the panel: each with its checkbox, and a field for one more.

// `on` has tick(id, isDone), add(fields), which resolves to whether that worked, and failed(error).
export function makeBelow(place, tasks, on) {
  const [heading, list, form] = ["h3", "ul", "form"].map((each) => place.querySelector(each));
  const known = new Map(); // the subtasks, by id
  let task = null;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { title } = form.elements;
    const text = title.value;
    title.value = ""; // so that a second Enter adds nothing
    if (!(await on.add({ title: text, parent_id: task.id }))) title.value ||= text;
  });
  return { show, arrived };

  async function show(wanted) {
    task = wanted;
    known.clear();
    draw();
    try {
      const found = await tasks.request(`/api/tasks/${task.id}/subtasks`);
      if (task !== wanted) return; // another one is shown by now
      for (const each of found) known.set(each.id, each);
      draw();
    } catch (problem) {
      on.failed(problem);
    }
  }

  // Any task has changed, or was deleted.
  function arrived(now, id) {
    if (!task) return;
    const isBelow = now && !now.deleted_at && now.parent_id === task.id;
    if (known.get(id)?.revision > now?.revision || (!isBelow && !known.has(id))) return;
    if (isBelow) known.set(id, now);
    else known.delete(id);
    draw();
  }

  function draw() {
    const all = [...known.values()].sort(inOrder);
    const done = all.filter(({ status }) => status === "done").length;
    heading.textContent = all.length > 0 ? `Subtasks, ${done} of ${all.length}` : "Subtasks";
    const focused = document.activeElement.closest?.("[data-id]")?.dataset.id;
    const isTick = document.activeElement.matches?.(".tick");
    list.replaceChildren(...all.map(itemOf));
    const again = list.contains(document.activeElement) ? null : focused && list.querySelector(`[data-id="${focused}"]`);
    if (again && place.contains(again)) again.querySelector(isTick ? ".tick" : "a").focus();
  }

  function itemOf({ id, title, status, priority }) {
    const item = copyOf("subtask");
    const [tick, link] = ["input", "a"].map((each) => item.querySelector(each));
    item.dataset.id = id;
    item.classList.toggle("done", status === "done" || status === "cancelled");
    tick.checked = status === "done";
    tick.dataset.priority = priority ?? "";
    tick.ariaLabel = `Subtask done: ${title}`;
    tick.addEventListener("change", () => on.tick(id, tick.checked));
    link.textContent = title;
    link.href = taskAddress(id);
    return item;
  }
}
