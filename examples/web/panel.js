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
export function makePanel(panel, tasks, saver, on) {
  const form = panel.querySelector("form");
  const find = (selector) => panel.querySelector(selector);
  const below = makeBelow(find(".below"), tasks, on);
  let task = null; // that is shown
  let wasBusy = false;

  offer(form.elements.status, STATUSES);
  offer(form.elements.priority, PRIORITIES);
  form.addEventListener("input", ({ target }) => typed(target));
  form.addEventListener("change", ({ target }) => {
    typed(target);
    if (!TYPED.includes(target.name)) save();
  });
  form.addEventListener("focusout", ({ target }) => TYPED.includes(target.name) && save());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save();
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "Enter" && event.target.form === form && event.target.matches("input")) save();
  });
  find(".tick").addEventListener("change", ({ target }) => on.tick(task.id, target.checked));
  find(".close").addEventListener("click", close);
  find(".delete").addEventListener("click", () => on.remove(task));
  find(".mine").addEventListener("click", () => saver.keepMine(task.id).then(focusTitle));
  find(".theirs").addEventListener("click", () => drop());
  find(".discard").addEventListener("click", () => drop());
  return { open, close, hide, arrived, stated, isOpen: () => task !== null, id: () => task?.id, focus };

  // Shows a task, which may not be on the page.
  async function open(id) {
    if (task?.id === id) return;
    if (task) save();
    try {
      task = on.taskOf(id) ?? (await tasks.get(id));
    } catch (problem) {
      on.failed(problem);
      return on.closed(id);
    }
    form.elements.list_id.replaceChildren(...on.lists.options());
    panel.hidden = false;
    panel.scrollTop = 0;
    document.body.classList.add("with-panel");
    show();
    below.show(task);
    focusTitle();
  }

  // A finger would call up the keyboard of a phone.
  function focusTitle() {
    if (task) (matchMedia("(pointer: coarse)").matches ? panel : form.elements.title).focus();
  }

  function focus(name) {
    form.elements[name].focus();
  }

  // What is typed stays, and is saved.
  function close() {
    const { id } = task;
    save();
    hide();
    on.closed(id);
  }

  function hide() {
    task = null;
    panel.hidden = true;
    document.body.classList.remove("with-panel");
  }

  function typed(field) {
    const part = partOfField(field.name);
    if (!task || !PARTS[part]) return; // a field that goes away has said what it held
    saver.type(current(), part, readPart(form, part));
    if (part === "description") fit();
  }

  // The task that is typed into, as it was seen when that began.
  function current() {
    return saver.draft(task.id)?.seen ?? task;
  }

  function save() {
    if (task) return saver.save(task.id);
  }

  function drop() {
    const { theirs, problem } = saver.draft(task.id);
    saver.drop(task.id);
    if (problem?.status === 404) return close();
    if (theirs) arrived(theirs);
    show();
    focusTitle();
  }

  // It has changed, here or elsewhere; null: it was deleted.
  function arrived(now, id = now?.id) {
    below.arrived(now, id);
    if (id !== task?.id) return;
    if (!now || now.deleted_at) return saver.has(id) ? tell(DELETED) : close();
    if (now.revision < task.revision) return;
    task = now;
    show();
  }

  // Shows all parts but those that hold what was typed and is not stored yet.
  function show() {
    const draft = saver.draft(task.id);
    for (const part of Object.keys(PARTS)) {
      const typed = draft?.typed[part];
      const isTypedInto = document.activeElement?.form === form && partOfField(document.activeElement.name) === part;
      if (typed && isTypedInto) continue;
      showPart(form, part, { ...task, ...typed });
    }
    find(".tick").checked = task.status === "done";
    find(".tick").dataset.priority = task.priority ?? "";
    const addresses = addressesIn(`${task.title} ${task.description ?? ""}`);
    find(".addresses").replaceChildren(...addresses.map((each) => linkTo(each)));
    fit();
    stated(task.id);
  }

  // The field for notes is as high as its text.
  function fit() {
    const { description } = form.elements;
    description.rows = Math.min(14, Math.max(3, description.value.split("\n").length + 1));
  }

  // Says what has become of what was typed.
  function stated(id) {
    if (id !== task?.id) return;
    const draft = saver.draft(id);
    const isBusy = saver.isBusy(id);
    const words = !draft ? (wasBusy ? "Saved" : "") : isBusy ? "Saving…" : "Not saved yet";
    wasBusy = isBusy || (wasBusy && !draft);
    find(".saved").textContent = words;
    find(".saved").classList.toggle("waits", Boolean(draft));
    tell(draft?.problem && draft.problem.status !== 0 ? explain(draft.problem) : "");
    showConflict(draft);
  }

  function tell(text) {
    find(".refused").hidden = !text;
    find(".refused p").textContent = text;
  }

  function showConflict(draft) {
    const clash = find(".clash");
    const hadFocus = clash.contains(document.activeElement);
    clash.hidden = !draft?.theirs;
    if (!draft?.theirs) return hadFocus && focusTitle();
    const { typed, seen, theirs } = draft;
    const parts = Object.keys(typed).filter((part) => inWords(part, theirs, on.lists) !== inWords(part, seen, on.lists));
    clash.querySelector("dl").replaceChildren(...parts.flatMap((part) => [
      textIn("dt", PARTS[part].name),
      textIn("dd", `Yours: ${inWords(part, { ...seen, ...typed[part] }, on.lists)}`, "yours"),
      textIn("dd", `Theirs: ${inWords(part, theirs, on.lists)}`),
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
