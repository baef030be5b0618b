// One task on the board: shows it, moves it, and edits it in place.
import { canBeDragged } from "./drag.js";
import { opensMenu } from "./menu.js";
import { makeNest } from "./nest.js";
import { FIELDS, STATUSES, explain, facts, inWords } from "./words.js";

// Returns the first element of a template in the page.
export const copyOf = (name) => document.getElementById(name).content.firstElementChild.cloneNode(true);

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

// What a form holds, as fields of a task. The form for new tasks has no description and no list.
export function fieldsOf({ elements: { title, description, due_date: day, priority, labels, list_id: list } }) {
  return {
    title: title.value,
    ...(description && { description: description.value || null }),
    due_date: day.value || null,
    priority: priority.value || null,
    labels: labels.value.split(",").map((label) => label.trim()).filter(Boolean),
    ...(list && { list_id: list.value || null }),
  };
}

// `board` has what the card tells: changed(task), move(id, fields), removed(task), closed(card); the `lists`; and
// column(task), where a task stands.
export function makeCard(tasks, board) {
  const element = copyOf("card");
  const face = element.querySelector(".face");
  const opener = element.querySelector(".open");
  const status = element.querySelector(".status");
  const handle = element.querySelector(".handle");
  const tick = element.querySelector(".tick");
  const card = { element, task: null, isOpen: false, show };
  card.nest = makeNest(card, board);

  for (const [value, text] of Object.entries(STATUSES)) status.append(new Option(text, value));
  opener.addEventListener("click", open);
  status.addEventListener("change", async () => {
    await board.move(card.task.id, { status: status.value });
    status.value = card.task.status; // as before, if that has failed
  });
  tick.addEventListener("change", async () => {
    await board.move(card.task.id, { status: tick.checked ? "done" : "todo" });
    tick.checked = card.task.status === "done";
  });
  const name = () => card.task.title;
  canBeDragged(face, { element, kind: "task", name });
  opensMenu(handle, {
    element,
    name,
    items: () => board.column(card.task).items(),
    dropped: (id, beside) => board.column(card.task).dropped(id, beside),
    where: (place) => `${place} in ${board.column(card.task).name}`,
    options: board.lists.options,
    listId: () => card.task.list_id,
    into: (list) => board.lists.take(card.task.id, list),
    levels: card.nest.levels,
  });
  return card;

  function show(task) {
    card.task = task;
    element.dataset.status = task.status;
    element.querySelector(".title").textContent = task.title;
    element.querySelector(".description").textContent = task.description ?? "";
    const shown = [...facts(task), ...board.lists.facts(task)];
    element.querySelector(".facts").replaceChildren(...shown.map((fact) => textIn("li", fact.text, fact.kind)));
    status.value = task.status;
    tick.checked = task.status === "done";
    tick.ariaLabel = `Done: ${task.title}`;
    card.nest.tally();
    status.ariaLabel = `Status of ${task.title}`; // each list and button has a name of its own
    opener.ariaLabel = `Edit ${task.title}`;
    handle.ariaLabel = `Move ${task.title}`;
  }

  function open() {
    const form = editForm(tasks, card.task, { save, remove, close, lists: board.lists });
    card.isOpen = true;
    face.hidden = true;
    face.after(form);
    form.elements.title.focus();
  }

  function close() {
    const hadFocus = element.querySelector(":scope > form").contains(document.activeElement);
    element.querySelector(":scope > form").remove();
    face.hidden = false;
    card.isOpen = false;
    if (hadFocus) opener.focus();
    board.closed(card); // what happened to the task while the form was open shows now
  }

  function save(task) {
    board.changed(task);
    close();
  }

  function remove() {
    close();
    board.removed(card.task);
  }
}

// The form knows the task as it was when the form was opened: that is what the user has seen.
function editForm(tasks, seen, { save, remove, close, lists }) {
  const form = copyOf("edit");
  const { title, description, due_date: day, priority, labels, list_id: list } = form.elements;
  const find = (selector) => form.querySelector(selector);

  title.value = seen.title;
  description.value = seen.description ?? "";
  day.value = seen.due_date ?? ""; // a due time is kept until a day is chosen instead
  priority.value = seen.priority ?? "";
  labels.value = seen.labels.join(", ");
  list.append(...lists.options());
  list.value = seen.list_id ?? "";
  const before = fieldsOf(form);
  let theirs = null; // the task as it is now, after a conflict
  let isBusy = false;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    store(theirs ?? seen);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") cancel();
  });
  find(".cancel").addEventListener("click", cancel);
  find(".theirs").addEventListener("click", cancel);
  find(".delete").addEventListener("click", () => attempt(async () => {
    await tasks.remove(seen.id, { ifMatch: "*" }); // whatever it is now: it can be brought back
    remove();
  }));
  return form;

  // Only what was typed is sent, so that nothing else that others have changed is overwritten.
  function typed() {
    const now = fieldsOf(form);
    return Object.fromEntries(Object.entries(now).filter(([name, value]) => !same(value, before[name])));
  }

  function store(known) {
    const changes = typed();
    if (Object.keys(changes).length === 0) return cancel();
    return attempt(async () => save(await tasks.update(seen.id, changes, { ifMatch: known })));
  }

  function cancel() {
    if (isBusy) return; // what was begun ends first
    if (theirs) save(theirs);
    else close();
  }

  async function attempt(work) {
    if (isBusy) return; // Enter was pressed twice
    isBusy = true;
    find(".problem").textContent = "";
    try {
      await work();
    } catch (problem) {
      if (problem.task) return showConflict(problem.task);
      if (find(".fields").hidden) showFields();
      find(".problem").textContent = explain(problem);
    } finally {
      isBusy = false;
    }
  }

  function showFields() {
    find(".fields").hidden = false;
    find(".conflict").hidden = true;
    title.focus();
  }

  function showConflict(now) {
    theirs = now;
    const changes = typed();
    const hasChanged = (name) => inWords(name, now, lists) !== inWords(name, seen, lists);
    const names = Object.keys(FIELDS).filter((name) => name in changes || hasChanged(name));
    find("dl").replaceChildren(...names.flatMap((name) => [
      textIn("dt", FIELDS[name]),
      textIn("dd", `It is now: ${inWords(name, now, lists)}`),
      ...(name in changes ? [textIn("dd", `You typed: ${inWords(name, changes, lists)}`, "yours")] : []),
    ]));
    find(".fields").hidden = true;
    find(".conflict").hidden = false;
    find("h4").focus();
  }
}

// What users wrote is never read as HTML.
function textIn(name, text, kind = "") {
  const element = document.createElement(name);
  element.className = kind;
  element.textContent = text;
  return element;
}
