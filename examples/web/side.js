// The side bar with its counts, and the form for the list that is shown.
import { canBeDragged, putBefore, takes } from "./drag.js";
import { closeMenu, opensMenu } from "./menu.js";
import { dotOf } from "./rows.js";
import { addressOf, listAddress, OPEN } from "./views.js";
import { copyOf, icon, onDay, today, zone } from "./words.js";

// How many open tasks there are at each place of the side bar. Changes come in bursts, so it counts at most every two seconds.

const PAUSE_MS = 2000;
const openOf = ({ todo, in_progress: begun }) => todo + begun;

// `on` has counted(counts) and failed(error).
export function makeTallies(tasks, on) {
  let timer = null;
  let isCounting = false;
  return { count, soon };

  async function count(signal) {
    const total = async (query) =>
      (await tasks.list({ limit: 1, include_total: true, status: OPEN, ...query }, { signal })).page.total;
    const days = { timezone: zone() };
    const [lists, inbox, all, late, due, upcoming] = await Promise.all([
      tasks.request("/api/lists?include_counts=true", { signal }),
      total({ list_id: "inbox" }),
      tasks.list({ limit: 1, include_counts: true }, { signal }),
      total({ due_before: today(), ...days }),
      total({ due_before: today(1), ...days }),
      total({ due_after: today(), ...days }),
    ]);
    const { counts } = all.page;
    const ofLists = Object.fromEntries(lists.map((list) => [`list/${list.id}`, openOf(list.counts)]));
    const isEmpty = Object.values(counts).every((number) => number === 0);
    const found = { late, today: due, upcoming, inbox, all: openOf(counts), isEmpty, ...ofLists };
    on.counted(found);
    return found;
  }

  // Something has changed.
  function soon(signal) {
    if (timer || signal.aborted) return;
    timer = setTimeout(async () => {
      timer = null;
      if (isCounting) return soon(signal);
      isCounting = true;
      await count(signal).catch((problem) => signal.aborted || on.failed(problem));
      isCounting = false;
    }, PAUSE_MS);
  }
}

// The side bar: the places to look at, with how many open tasks each has, and the lists in their order.

// `on` has place(), what is shown; go(place); dropped(taskId, fields); taskOf(id); and attempt(work), which says what went
// wrong. The `lists` are those of lists.js.
export function makeSidebar(side, lists, on) {
  const [names, archive, add] = [".names", ".archive", ".new-list"].map((name) => side.querySelector(name));
  const entries = new Map(); // of lists, by id
  let counts = {};

  takes(names, { kind: "list", items, dropped: lists.move });
  takes(side.querySelector('[href="#today"]'), { kind: "task", dropped: (id) => on.dropped(id, onDay(on.taskOf(id), today())) });
  takes(side.querySelector('[href="#inbox"]'), { kind: "task", dropped: (id) => lists.take(id, null) });
  side.querySelector(".add-list").addEventListener("click", () => fold(add.hidden));
  add.addEventListener("submit", (event) => {
    event.preventDefault();
    on.attempt(async () => {
      const list = await lists.create({ name: add.elements.name.value, color: add.elements.color.value });
      add.reset();
      fold(false);
      on.go(`list/${list.id}`);
    });
  });
  add.addEventListener("keydown", ({ key }) => key === "Escape" && fold(false));
  return { draw, tell, fold };

  function fold(isOpen) {
    const hadFocus = add.contains(document.activeElement);
    add.hidden = !isOpen;
    side.querySelector(".add-list").ariaExpanded = String(isOpen);
    if (isOpen) add.elements.name.focus();
    else if (hadFocus) side.querySelector(".add-list").focus();
  }

  function draw() {
    drawIn(names, lists.all());
    const archived = lists.all({ archived: true });
    archive.hidden = archived.length === 0;
    drawIn(archive.querySelector("ul"), archived);
    for (const link of side.querySelectorAll("a[href]")) {
      link.ariaCurrent = link.getAttribute("href") === addressOf(on.place()) ? "page" : null;
    }
    tell();
  }

  function drawIn(list, wanted) {
    const ids = new Set(wanted.map(({ id }) => id));
    for (const element of [...list.children]) {
      if (ids.has(element.dataset.id)) continue;
      const hadFocus = element.contains(document.activeElement);
      closeMenu(element);
      if (entries.get(element.dataset.id) === element) entries.delete(element.dataset.id);
      element.remove();
      if (hadFocus) side.querySelector(".places a").focus();
    }
    wanted.forEach((each, index) => {
      const element = entryOf(each, list);
      showName(element, each);
      if (list.children[index] !== element) putBefore(list, element, list.children[index] ?? null);
    });
  }

  function showName(element, { id, name, color }) {
    const link = element.querySelector("a");
    const grip = element.querySelector(".grip");
    link.querySelector(".name").textContent = name;
    link.querySelector(".dot").replaceWith(dotOf(color));
    link.querySelector(".shared").hidden = !lists.isShared(id);
    if (grip) grip.ariaLabel = `Move ${name}`;
  }

  function entryOf({ id, archived }, list) {
    const old = entries.get(id);
    if (old && Boolean(old.querySelector(".grip")) !== archived) return old;
    old?.remove();
    const element = copyOf("list");
    element.dataset.id = id;
    element.querySelector("a").href = listAddress(id);
    element.querySelector(".shared").append(icon("share"));
    takes(element, { kind: "task", dropped: (taskId) => lists.take(taskId, id) });
    const grip = element.querySelector(".grip");
    if (archived) grip.remove();
    else canBeArranged(element, grip, id);
    entries.set(id, element);
    return element;
  }

  function canBeArranged(element, grip, id) {
    const name = () => lists.nameOf(id);
    canBeDragged(element, { element, kind: "list", name });
    opensMenu(grip, { element, name, items, dropped: lists.move, where: (place) => `${place} lists` });
  }

  function items() {
    return [...names.children];
  }

  // How many open tasks there are at each place.
  function tell(now = counts) {
    counts = now;
    for (const link of side.querySelectorAll("a[href]")) {
      const place = link.getAttribute("href").slice(1);
      const count = link.querySelector(".count");
      if (count) count.textContent = counts[place] || "";
    }
    side.querySelector(".places .late").textContent = counts.late ? `${counts.late} late` : "";
  }
}

// The form for the list that is shown: its name, its colour, the archive, and the trash.
const PLAIN = "#8a857c"; // shown for a list without a colour

// `on` has chosen(), the id of the list or null, and attempt(work), which says what went wrong. The `lists` are those of
// lists.js.
export function makeListForm(form, button, lists, on) {
  const { name, color } = form.elements;
  const archive = form.querySelector(".archive-list");

  button.addEventListener("click", () => fold(form.hidden));
  form.addEventListener("keydown", ({ key }) => key === "Escape" && fold(false));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    on.attempt(() => lists.change(on.chosen(), { name: name.value }));
  });
  color.addEventListener("change", () => on.attempt(() => lists.change(on.chosen(), { color: color.value })));
  archive.addEventListener("click", () => {
    const list = lists.get(on.chosen());
    on.attempt(() => lists.change(list.id, { archived: !list.archived }));
  });
  form.querySelector(".delete").addEventListener("click", () => on.attempt(() => lists.remove(on.chosen())));
  return { draw, fold };

  function fold(isOpen) {
    const hadFocus = form.contains(document.activeElement);
    form.hidden = !isOpen;
    button.ariaExpanded = String(isOpen);
    draw();
    if (isOpen) name.focus();
    else if (hadFocus) button.focus();
  }

  function draw() {
    const list = lists.get(on.chosen());
    button.hidden = !list;
    if (!list) {
      form.hidden = true;
      button.ariaExpanded = "false";
      return;
    }
    if (document.activeElement !== name) name.value = list.name;
    if (document.activeElement !== color) color.value = list.color ?? PLAIN;
    archive.textContent = list.archived ? "Bring back from the archive" : "Archive";
  }
}
