// The rows of tasks, what stands below each, and the sections that they stand in.
import { canBeDragged, takes } from "./drag.js";
import { opensMenu } from "./menu.js";
import { taskAddress } from "./views.js";
import { addressesIn, copyOf, facts, hostOf, linked, linkTo, STATUSES, textIn } from "./words.js";

// One task in a list or on the board: what is shown of it, and what can be done with it there.

const isClosed = (status) => status === "done" || status === "cancelled";

// `view` has what the row tells: tick(id, isDone), move(id, fields), and section(task), where a task stands; the `lists`;
// whether it isFlat(), and isBoard(); isUnsaved(id).
export function makeRow(view) {
  const element = copyOf("row");
  const face = element.querySelector(".face");
  const [title, note, list, tick, grip] = [".title a", ".note", ".facts", ".tick", ".grip"].map((each) =>
    element.querySelector(each));
  const row = { element, task: null, show };
  row.nest = makeNest(row, view);

  tick.addEventListener("change", async () => {
    await view.tick(row.task.id, tick.checked);
    tick.checked = row.task.status === "done"; // as before, if that has failed
  });
  const name = () => row.task.title;
  canBeDragged(face, { element, kind: "task", name });
  opensMenu(grip, {
    element,
    name,
    items: () => view.section(row.task)?.items() ?? [],
    dropped: (id, beside) => view.section(row.task).dropped(id, beside),
    where: (place) => `${place} in ${view.section(row.task).name}`,
    options: view.lists.options,
    listId: () => row.task.list_id,
    into: (id) => view.lists.take(row.task.id, id),
    status: () => row.task.status,
    become: (status) => view.move(row.task.id, { status }),
    levels: row.nest.levels,
  });
  return row;

  function show(task) {
    const isOther = JSON.stringify([row.task, row.marks]) !== JSON.stringify([task, marksOf(task)]);
    row.task = task;
    element.dataset.id = task.id;
    row.nest.tally();
    if (!isOther) return; // so that what is selected stays selected
    row.marks = marksOf(task);
    element.dataset.status = task.status;
    element.classList.toggle("done", isClosed(task.status));
    title.textContent = task.title;
    title.href = taskAddress(task.id);
    note.replaceChildren(...linked(task.description?.trim() ?? ""));
    const addresses = addressesIn(task.title).map(addressOf);
    list.replaceChildren(...row.marks.facts.map(factOf), ...addresses, ...row.marks.list.map(factOf));
    showControls(task);
  }

  // What a row says that does not stand in the task alone.
  function marksOf(task) {
    const unsaved = view.isUnsaved(task.id) ? [{ kind: "late", text: "Not saved yet" }] : [];
    return { facts: [...unsaved, ...facts(task, { isBoard: view.isBoard() })], list: view.lists.facts(task) };
  }

  function showControls(task) {
    tick.checked = task.status === "done";
    tick.dataset.priority = task.priority ?? "";
    tick.ariaLabel = `Done: ${task.title}`; // each checkbox and button has a name of its own
    grip.ariaLabel = `Move ${task.title}`;
    if (task.status === "cancelled") tick.title = STATUSES.cancelled;
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

// The policy of the page refuses style attributes, but not this.
export function dotOf(color) {
  const dot = textIn("i", "", "dot");
  if (color) dot.style.setProperty("--dot", color);
  return dot;
}

// The subtasks of a row: how many are done, and their rows below it, folded or not. Here, rows become subtasks.

const UNFOLDED = "task-api-unfolded"; // in sessionStorage, so that a reload keeps it
const DEEPEST = ".nest .nest .nest .nest .task"; // on the fifth level, where the service takes no subtasks
const EDGE = 0.25; // of a row: what is dropped there comes before or after it

const unfolded = () => new Set(JSON.parse(sessionStorage.getItem(UNFOLDED) ?? "[]"));
export const forgetUnfolded = () => sessionStorage.removeItem(UNFOLDED);
export const isUnfolded = (id) => unfolded().has(id);

// `view` has what it tells: move(id, fields, beside), said(text), and add(fields), which returns whether that worked;
// rowOf(element), isFlat(), and nested, which counts and fetches subtasks.
export function makeNest(row, view) {
  const [face, nest, list, toggle, form] = [".face", ".nest", ".subtasks", ".toggle", ".add-subtask"].map((each) =>
    row.element.querySelector(each));
  const items = () => [...list.children];
  const dropped = (id, beside) => view.move(id, { parent_id: row.task.id }, beside);
  const canHold = () => !row.element.matches(DEEPEST) && !view.isFlat();
  takes(list, { kind: "task", items, dropped });
  takes(face, { kind: "task", fits, dropped: adopt });

  toggle.addEventListener("click", () => {
    if (view.isFlat()) location.hash = taskAddress(row.task.id); // its subtasks stand in the panel
    else fold(nest.hidden);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { title } = form.elements;
    const text = title.value;
    title.value = ""; // so that a second Enter adds nothing
    if (!(await view.add({ title: text, parent_id: row.task.id }))) title.value ||= text;
  });
  return { list, items, dropped, tally, levels, canHold, adopt, get name() { return `“${row.task.title}”`; } };

  function fold(isOpen) {
    const ids = unfolded();
    isOpen ? ids.add(row.task.id) : ids.delete(row.task.id);
    sessionStorage.setItem(UNFOLDED, JSON.stringify([...ids]));
    if (isOpen) view.nested.fetch(row.task.id);
    tally();
  }

  // Whether what is dropped at this height becomes a subtask. Between the face and the nest below it, nothing else could.
  function fits(thing, y) {
    const { top, height } = face.getBoundingClientRect();
    const part = (y - top) / height;
    return canHold() && part > EDGE && (part < 1 - EDGE || !nest.hidden);
  }

  // Makes a row a subtask, and shows where it has gone.
  async function adopt(id) {
    fold(true);
    const task = await view.move(id, { parent_id: row.task.id });
    if (task) view.said(`“${task.title}” is a subtask of “${row.task.title}” now.`);
  }

  // A level in is under the row above it, and a level out is after the row that it is under.
  function levels() {
    const above = view.rowOf(row.element.previousElementSibling);
    const parent = view.rowOf(row.element.parentElement.closest(".task"));
    const isNear = above?.nest.canHold() && above.task.list_id === row.task.list_id;
    return {
      in: isNear && { text: `Make a subtask of “${above.task.title}”`, act: () => above.nest.adopt(row.task.id) },
      out: parent && { text: `Move out of “${parent.task.title}”`, act: () => leave(parent.task) },
    };
  }

  async function leave(parent) {
    const task = await view.move(row.task.id, { parent_id: parent.parent_id }, { after: parent.id });
    if (task) view.said(`“${task.title}” is no longer a subtask of “${parent.title}”.`);
  }

  function tally() {
    const { title, id } = row.task;
    const isOpen = unfolded().has(id) && !view.isFlat();
    const { total, done } = view.nested.countsOf(row.task, items());
    const text = total > 0 ? `${done} of ${total}` : "";
    if (toggle.textContent !== text) toggle.textContent = text;
    toggle.ariaLabel = `Subtasks of ${title}${text ? `: ${text} done` : ""}`;
    toggle.ariaExpanded = String(isOpen);
    nest.hidden = !isOpen;
    list.ariaLabel = `Subtasks of ${title}`;
    form.elements.title.ariaLabel = `New subtask of ${title}`;
  }
}

// A column of the board, or a group of the list: its heading, its rows, and what is left to fetch or to unfold.

// `what` is a section of a view (views.js), `look` how the view looks. `on` has dropped(id, beside), items(rows), more(section)
// and folded(key).
function makeSection(what, look, on) {
  const element = copyOf(look === "board" ? "column" : "group");
  const [heading, name, count, list, more, fold] = ["h2", ".name", ".count", ".rows", ".more", ".fold"].map((each) =>
    element.querySelector(each));
  const section = { key: what.key, what, name: what.name, element, list, more, next: null, items, dropped: on.dropped, tell };

  element.ariaLabel = what.name;
  element.dataset.key = what.key;
  if (look === "board") element.id = what.key;
  if (what.isQuiet) element.classList.add("quiet");
  name.textContent = what.name;
  more.ariaLabel = `More tasks: ${what.name}`;
  more.addEventListener("click", () => on.more(section));
  if (what.mayFold) makeFolding();
  const plan = element.querySelector(".to-today");
  if (what.canGoToToday) plan.addEventListener("click", () => on.toToday([...list.children].map((row) => row.dataset.id)));
  takes(element, { kind: "task", items, dropped: on.dropped });
  return section;

  function items() {
    return on.items([...list.children]);
  }

  function makeFolding() {
    fold.hidden = false;
    fold.ariaExpanded = String(!what.isFolded);
    fold.ariaLabel = what.name;
    fold.addEventListener("click", () => on.folded(what.key));
    list.hidden = what.isFolded;
  }

  // Says how many there are, and whether there is more.
  function tell() {
    const countsAll = look === "board" || ["done", "cancelled"].includes(what.key); // else, what was done just now is not counted
    const number = [...list.children].filter((row) => countsAll || !row.matches(".done")).length;
    const isUnknown = what.isFolded || (what.isQuiet && number === 0);
    count.textContent = isUnknown ? "" : section.next ? `${number}+` : number;
    more.hidden = !section.next;
    if (what.canGoToToday) plan.hidden = number === 0;
    if (what.canGoToToday) plan.textContent = { 1: "Move to today", 2: "Move both to today" }[number] ?? "Move all to today";
    element.hidden = !what.isAlways && list.childElementCount === 0;
    if (element.hidden && element.contains(document.activeElement)) heading.blur();
  }
}

// All sections of a view, by key. `on` also has items(key, rows) and dropped(key, id, beside).
export function makeSections(place, on) {
  const made = new Map();
  let view = null;
  return { all: () => [...made.values()], at, follow, clear };

  function at(key) {
    if (!made.has(key)) put(key);
    return made.get(key);
  }

  function put(key) {
    const what = view.sections.find((each) => each.key === key) ?? view.sectionFor(key);
    const section = makeSection(what, view.look, {
      ...on,
      items: (rows) => on.items(key, rows),
      dropped: (id, beside) => on.dropped(key, id, beside),
    });
    made.set(key, section);
    const next = [...place.children].find((child) => isBefore(key, child.dataset.key));
    place.insertBefore(section.element, next ?? null);
  }

  // Sections that are not known beforehand are days, in their order.
  function isBefore(one, other) {
    const rank = (key) => view.sections.findIndex((each) => each.key === key);
    return view.sectionFor ? one < other : rank(one) < rank(other);
  }

  // Shows the sections that a view always has; one that is folded or unfolded is made anew.
  function follow(wanted, forget) {
    view = wanted;
    place.className = view.look;
    for (const { key, isFolded } of view.sections) {
      if (made.has(key) && made.get(key).what.isFolded !== isFolded) renew(made.get(key), forget);
      at(key);
    }
  }

  function renew(old, forget) {
    const hadFocus = old.element.contains(document.activeElement);
    for (const row of [...old.list.children]) forget(row.dataset.id);
    made.delete(old.key);
    old.element.remove();
    put(old.key);
    if (hadFocus) made.get(old.key).element.querySelector(".fold").focus();
  }

  function clear() {
    made.clear();
    place.replaceChildren();
  }
}
