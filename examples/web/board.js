// The board: which tasks are shown, in which column and place, and how it follows changes.
import { TYPES, latest, makeArrivals, reread } from "./arrivals.js";
import { copyOf, makeCard } from "./card.js";
import { takes } from "./drag.js";
import { closeMenu } from "./menu.js";
import { inOrder, isNewer, makeMoves, putBefore } from "./order.js";
import { STATUSES } from "./words.js";

const PAGE = 25; // tasks of a column that are fetched at once
const WHATEVER = { ifMatch: "*" }; // it is now: a move overwrites nothing that anybody typed

// `on` has what the board tells: said(text, undo), failed(error), labels(names); and the `lists`.
export function makeBoard(place, tasks, on) {
  const known = new Map(); // the tasks that belong on the board, by id
  const cards = new Map(); // the cards that are on it, by id
  const columns = Object.fromEntries(Object.entries(STATUSES).map(makeColumn));
  let filters = on.lists.filter();
  let loaded = Promise.resolve();
  let loading = new AbortController();
  const arrive = makeArrivals(tasks, { ready: () => loaded, filters: () => filters, settled, failed: on.failed });
  const moves = makeMoves((id) => cards.get(id).task, draw);

  place.ariaBusy = "true"; // until the columns are listed
  place.replaceChildren(...Object.values(columns).map((column) => column.element));
  const board = { load, follow, changed, removed, closed, move, add, redraw, column, cardOf, said: on.said, lists: on.lists };
  return board;

  function makeColumn([status, name]) {
    const element = copyOf("column");
    element.id = status;
    element.ariaLabel = name;
    element.querySelector(".name").textContent = name;
    const more = element.querySelector(".more");
    const list = element.querySelector(".cards");
    const items = () => (filters.sort ? [...list.children] : []); // all tasks have no order that people arrange
    const isNested = (id) => cards.get(id)?.element.parentElement.matches(".subtasks");
    const dropped = (id, beside) => move(id, isNested(id) ? { status, parent_id: null } : { status }, beside);
    const column = { element, name, more, list, items, dropped, next: null };
    more.ariaLabel = `More tasks: ${name}`;
    more.addEventListener("click", () => fetchMore(column));
    takes(element, { kind: "task", items, dropped });
    return [status, column];
  }

  // Lists all columns anew. Whoever types in the search asks for this often: only the last answer counts.
  function load(wanted) {
    loading.abort();
    loading = new AbortController();
    const { signal } = loading;
    filters = wanted;
    place.ariaBusy = "true";
    loaded = listAll(wanted, signal).catch((problem) => signal.aborted || on.failed(problem));
    return loaded;
  }

  async function listAll(wanted, signal) {
    const names = Object.keys(columns);
    const lists = await Promise.all(
      names.map((status) => tasks.list({ ...wanted, status, limit: PAGE }, { signal })),
    );
    if (signal.aborted) return;
    const found = new Set(lists.flat().map((task) => task.id));
    for (const id of known.keys()) if (!found.has(id)) forget(id);
    lists.forEach((list, number) => showPage(columns[names[number]], list));
    place.ariaBusy = "false";
  }

  function showPage(column, list) {
    column.next = list.next;
    for (const task of list) show(task);
    count(column);
  }

  async function fetchMore(column) {
    const { next, list } = column;
    const lastCard = list.lastElementChild;
    try {
      const page = await next();
      if (column.next === next) showPage(column, page); // otherwise the filters have changed meanwhile
      const focus = lastCard?.nextElementSibling ?? list.lastElementChild;
      if (column.more.hidden) focus?.querySelector(".open").focus();
    } catch (problem) {
      on.failed(problem);
    }
  }

  // Follows all changes of the user, those of this window included, until `signal` is aborted. Over HTTP/1.1, a
  // browser has six connections to a service, and each window that follows takes one: HTTP/2 at the proxy lifts that.
  async function follow(signal) {
    const since = await latest(tasks); // before the first listings, so that no change falls between the two
    if (signal.aborted) return;
    await Promise.all([on.lists.load(signal), load(filters)]);
    for await (const { type, task, list, deleted } of tasks.changes({ since, signal, types: TYPES })) {
      if (type === "list") on.lists.arrive(list ?? { id: deleted, deleted_at: true });
      else arrive(task?.id ?? deleted, task ?? null);
    }
  }

  function settled(ids, fitting) {
    for (const id of ids) fitting.has(id) ? show(fitting.get(id)) : forget(id);
    Object.values(columns).forEach(count);
  }

  // Moves a task to another column or list, beside another one of its list, or both. Whoever chose last is right.
  async function move(id, fields, beside = {}) {
    const isChange = (task) => Object.keys(fields).some((name) => fields[name] !== task?.[name]);
    const others = isChange(known.get(id)) ? around(id) : [];
    try {
      const task = await moves.run(id, fields, beside, async () => {
        const place = "parent_id" in fields ? { ...beside, parent_id: fields.parent_id } : beside;
        if (Object.keys(place).length > 0) changed(await tasks.move(id, place, WHATEVER));
        if (isChange(known.get(id))) changed(await tasks.update(id, fields, WHATEVER));
        return known.get(id);
      });
      reread(tasks, others, (other) => known.has(other.id) && changed(other)).catch(on.failed);
      return task;
    } catch (problem) {
      on.failed(problem);
      return null;
    }
  }

  // The tasks above and below one, which may change along with it.
  function around(id) {
    if (!cards.has(id)) return []; // it was deleted while it was dragged
    const { element } = cards.get(id);
    const isAround = (other) => other !== element && (other.contains(element) || element.contains(other));
    return [...place.querySelectorAll(".card")].filter(isAround).map((other) => other.dataset.id);
  }

  async function add(fields) {
    try {
      const task = await tasks.create(fields);
      await changed(task);
      on.said(`“${task.title}” is added.`);
      return true;
    } catch (problem) {
      on.failed(problem);
      return false;
    }
  }

  // Where a task stands: below the task that it is a subtask of, or in its column, if that one is not on the board.
  function column(task) {
    const parent = cards.get(task.parent_id);
    return parent && !cards.get(task.id)?.element.contains(parent.element) ? parent.nest : columns[task.status];
  }

  function subtasksOf(id) {
    return [...cards.values()].filter(({ task }) => task.parent_id === id);
  }

  function changed(task) {
    if (known.has(task.id)) show(task); // at once; whether it still fits the filters turns out later
    return arrive(task.id, task);
  }

  function removed({ id, title }) {
    forgetTree(id);
    Object.values(columns).forEach(count);
    on.said(`“${title}” is in the trash.`, async () => {
      changed(await tasks.request(`/api/tasks/${id}/restore`, { method: "POST", ifMatch: "*" }));
      on.said(`“${title}” is back.`);
    });
  }

  function closed(card) {
    draw(card.task.id);
    Object.values(columns).forEach(count);
  }

  function show(task) {
    if (!(known.get(task.id)?.revision > task.revision)) known.set(task.id, task); // else it is older than what is shown
    on.labels(task.labels);
    draw(task.id);
  }

  function forget(id) {
    known.delete(id);
    draw(id);
  }

  // The tasks below it go to the trash along with it: the stream says so a moment later.
  function forgetTree(id) {
    for (const { task } of subtasksOf(id)) forgetTree(task.id);
    forget(id);
  }

  // A list has another name.
  function redraw() {
    for (const card of cards.values()) if (!card.isOpen) card.show(card.task);
  }

  // Makes the board agree with what is known of a task.
  function draw(id) {
    const task = moves.onto(known.get(id));
    let card = cards.get(id);
    if (card?.isOpen) return; // somebody types there
    if (!task || !on.lists.holds(task)) {
      if (card) takeAway(card);
      return;
    }
    const isNew = !card;
    if (isNew) cards.set(id, (card = makeCard(tasks, board)));
    card.show(task);
    stand(card);
    if (isNew) for (const { task: each } of subtasksOf(id)) draw(each.id); // they were shown without it
  }

  function stand(card) {
    const { task } = card;
    const above = card.element.parentElement?.closest(".card");
    const { list, tally } = column(task);
    const isBefore = tally || filters.sort ? (one, other) => inOrder(one, other) < 0 : isNewer;
    const others = [...list.children].filter((other) => other !== card.element && cardOf(other)); // without what goes away
    const next = others.find((other) => isBefore(task, cardOf(other).task)) ?? null;
    if (card.element.parentElement !== list || card.element.nextElementSibling !== next) {
      card.element.dataset.id = task.id;
      putBefore(list, card.element, next);
    }
    cardOf(above)?.nest.tally();
    tally?.();
    Object.values(columns).forEach(count);
  }

  function takeAway({ element, task }) {
    closeMenu(element); // which gives the focus back to the card
    const neighbour = element.nextElementSibling ?? element.previousElementSibling;
    const heading = element.closest(".column").querySelector("h2");
    const above = element.parentElement.closest(".card");
    cards.delete(task.id);
    for (const each of subtasksOf(task.id)) stand(each); // also one in which somebody types
    const hadFocus = element.contains(document.activeElement);
    element.remove();
    cardOf(above)?.nest.tally();
    if (hadFocus) (neighbour?.querySelector(".open") ?? heading).focus();
  }

  function cardOf(element) {
    return cards.get(element?.dataset.id);
  }

  function count(column) {
    const number = column.list.childElementCount;
    column.element.querySelector(".count").textContent = column.next ? `${number}+` : number;
    column.more.hidden = !column.next;
  }
}
