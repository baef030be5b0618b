// The lists at the side: which of them the board shows, and what can be done with it.
import { copyOf } from "./card.js";
import { canBeDragged, takes } from "./drag.js";
import { closeMenu, opensMenu } from "./menu.js";
import { inOrder, makeMoves, putBefore } from "./order.js";

const ALL = "";
const INBOX = "inbox";
const CHOSEN = "task-api-list"; // in sessionStorage, so that a reload keeps to it

export const forgetChosen = () => sessionStorage.removeItem(CHOSEN);

// `on` has what the lists tell: chosen(), renamed(), moved(taskId, fields), said(text, undo), failed(error).
export function makeLists(place, tasks, on) {
  const known = new Map(); // all lists outside the trash, by id
  const entries = new Map(); // what stands at the side, by id
  const moves = makeMoves((id) => moves.onto(known.get(id)), draw);
  const side = copyOf("side");
  const [names, add, edit] = [".names", ".new-list", ".this-list"].map((name) => side.querySelector(name));
  let current = sessionStorage.getItem(CHOSEN) ?? ALL;
  let isBusy = false;

  place.replaceChildren(side);
  takes(names, { kind: "list", items, dropped: move });
  draw();
  add.addEventListener("submit", (event) => attempt(event, create));
  edit.addEventListener("submit", (event) => attempt(event, rename));
  edit.querySelector(".delete").addEventListener("click", (event) => attempt(event, remove));
  const chosen = () => (known.has(current) ? current : null);
  return { load, arrive, filter, holds, facts, nameOf, options, take, chosen };

  // The archived ones are not at the side, but tasks may be in them.
  async function load(signal) {
    for (const archived of [false, true]) {
      const lists = await tasks.request(`/api/lists?archived=${archived}`, { signal });
      for (const list of lists) known.set(list.id, list);
    }
    draw();
    on.renamed();
    if (!entries.has(current)) choose(ALL); // it was chosen before a reload, and is not there any more
  }

  // A list has been made, changed or deleted, here or elsewhere.
  function arrive(list) {
    if (known.get(list.id)?.revision > list.revision) return; // this is older than what is shown
    if (list.deleted_at) closeMenu(entries.get(list.id));
    const parts = [entries.get(list.id), ...(list.id === current ? [edit] : [])];
    const hadFocus = parts.some((part) => part?.contains(document.activeElement));
    if (list.deleted_at) known.delete(list.id);
    else known.set(list.id, list);
    draw();
    on.renamed();
    if (!entries.has(current)) choose(ALL);
    if (hadFocus && !entries.has(list.id)) entries.get(current).querySelector("button").focus();
  }

  function draw() {
    const shown = inTheirOrder().filter((list) => !list.archived);
    const wanted = [{ id: ALL, name: "All tasks" }, { id: INBOX, name: "Inbox" }, ...shown];
    const ids = new Set(wanted.map((list) => list.id));
    for (const [id, element] of entries) {
      if (ids.has(id)) continue;
      element.remove();
      entries.delete(id);
    }
    wanted.forEach(({ id, name }, place) => {
      const element = entryOf(id);
      const button = element.querySelector("button");
      button.textContent = name;
      button.ariaCurrent = id === current ? "true" : null;
      const handle = element.querySelector(".handle");
      if (handle) handle.ariaLabel = `Move ${name}`;
      if (names.children[place] !== element) putBefore(names, element, names.children[place] ?? null);
    });
    const isList = known.has(current);
    if (edit.hidden || !edit.contains(document.activeElement)) edit.elements.name.value = known.get(current)?.name ?? "";
    edit.hidden = !isList;
  }

  function entryOf(id) {
    if (entries.has(id)) return entries.get(id);
    const element = copyOf("list");
    element.querySelector("button").addEventListener("click", () => choose(id));
    if (id !== ALL) takes(element, { kind: "task", dropped: (taskId) => take(taskId, id === INBOX ? null : id) });
    if (id === ALL || id === INBOX) element.querySelector(".handle").remove(); // they stay at the top
    else canBeArranged(element, id);
    entries.set(id, element);
    return element;
  }

  function canBeArranged(element, id) {
    const name = () => nameOf(id);
    element.dataset.id = id;
    canBeDragged(element, { element, kind: "list", name });
    opensMenu(element.querySelector(".handle"), { element, name, items, dropped: move, where: (place) => `${place} lists` });
  }

  function items() {
    return [...names.children].filter((element) => element.dataset.id);
  }

  function inTheirOrder() {
    return [...known.values()].map(moves.onto).sort(inOrder);
  }

  function move(id, beside) {
    const body = { method: "POST", body: beside, ifMatch: "*" };
    return moves.run(id, {}, beside, async () => arrive(await tasks.request(`${at(id)}/move`, body))).catch(on.failed);
  }

  // Puts a task into a list.
  async function take(taskId, id) {
    const task = await on.moved(taskId, { list_id: id });
    if (task) on.said(`“${task.title}” is in “${nameOf(id)}” now.`);
  }

  function choose(id) {
    current = id;
    sessionStorage.setItem(CHOSEN, id);
    draw();
    on.chosen();
  }

  async function create() {
    const list = await tasks.request("/api/lists", { method: "POST", body: { name: add.elements.name.value } });
    add.reset();
    arrive(list);
    choose(list.id);
    on.said(`The list “${list.name}” is added.`);
  }

  async function rename() {
    const body = { name: edit.elements.name.value };
    const list = await tasks.request(at(current), { method: "PATCH", body, ifMatch: "*" });
    arrive(list);
    on.said(`The list is now called “${list.name}”.`);
  }

  async function remove() {
    const list = known.get(current);
    await tasks.request(at(list.id), { method: "DELETE", ifMatch: "*" });
    arrive({ ...list, deleted_at: true });
    on.said(`The list “${list.name}” is in the trash, with its tasks.`, async () => {
      arrive(await tasks.request(`${at(list.id)}/restore`, { method: "POST", ifMatch: "*" }));
      choose(list.id);
      on.said(`The list “${list.name}” is back.`);
    });
  }

  async function attempt(event, work) {
    event.preventDefault();
    if (isBusy) return; // it was pressed twice
    isBusy = true;
    try {
      await work();
    } catch (problem) {
      on.failed(problem);
    } finally {
      isBusy = false;
    }
  }

  // What the board asks for. People arrange the tasks of a list, and of the inbox.
  function filter() {
    return current === ALL ? {} : { list_id: current, sort: "position" };
  }

  function holds({ list_id: id }) {
    return current === ALL || current === (id ?? INBOX);
  }

  function nameOf(id) {
    return id === null ? "Inbox" : known.get(id)?.name ?? "A list";
  }

  // Which list a task is in stands on its card where tasks of all lists are shown.
  function facts({ list_id: id }) {
    return current === ALL && id !== null ? [{ kind: "list", text: nameOf(id) }] : [];
  }

  function options() {
    const lists = inTheirOrder();
    const marked = ({ name, archived }) => (archived ? `${name} (archived)` : name);
    return [new Option("Inbox", ""), ...lists.map((list) => new Option(marked(list), list.id))];
  }
}

const at = (id) => `/api/lists/${encodeURIComponent(id)}`;
