// The frame around the tasks: which place is shown, its heading, and what is said when there is nothing to show.
import { addressOf, forgetShown, goTo, keep, kept, look, read, viewOf } from "./views.js";
import { dateInWords, textIn, today } from "./words.js";

const NAMES = { today: "Today", upcoming: "Upcoming", inbox: "Inbox", all: "All tasks", trash: "Trash" };

export function makePage(desk, signOut) {
  const { frame, find, signal } = desk;
  const [board, blank, bones] = ["#board", "#blank", "#bones"].map(find);
  const unfolded = new Set();
  let shown = ""; // place and look
  let place = "";
  let counts = {};
  let day = today();
  let wanted = null; // the field of the panel that gets the focus

  listen();
  return { place: () => place, begin, greet, counted, redraw, gone, reload, drawn, fold, closed, search, otherLook, openAt };

  function listen() {
    const acts = {
      "#sign-out": signOut, ".side .new": () => desk.add.open(), ".tabs .plus": () => desk.add.open(), ".side .search": search,
      ".tabs .find": search, ".help": () => document.querySelector("#keys").showModal(), "#more": () => desk.view.fetchMore(),
      ".all-lists": () => showLists(!frame.matches(".on-lists")),
    };
    for (const [selector, act] of Object.entries(acts)) find(selector).addEventListener("click", act);
    find(".looks").addEventListener("click", ({ target }) => target.dataset.look && choose(target.dataset.look));
    frame.querySelector(".side").addEventListener("click", ({ target }) => target.closest("a") && showLists(false));
    addEventListener("hashchange", follow, { signal });
    document.addEventListener("visibilitychange", comeBack, { signal });
  }

  // A page that was left open shows another day.
  function comeBack() {
    if (document.hidden || day === today()) return;
    day = today();
    redraw();
    load();
  }

  function greet(name) {
    find("#who").textContent = name;
    find(".side .face").textContent = [...name][0]?.toUpperCase() ?? "";
  }

  // At the start: what the address says, or what was shown last, or Today, if anything is due.
  function begin(found) {
    counts = found;
    if (!isThere(place)) place = "";
    const start = [read().place, kept(), found.today > 0 ? "today" : "all"].find((each) => each && isThere(each));
    show(start);
    follow();
  }

  // Lists come and go.
  function isThere(each) {
    return !each.startsWith("list/") || Boolean(desk.lists.get(each.slice(5)));
  }

  // What the address says.
  function follow() {
    const { place: there, task } = read();
    if (there) show(isThere(there) ? there : "all");
    if (task) return openPanel(task);
    if (there && desk.panel.isOpen()) desk.panel.close();
  }

  async function openPanel(id) {
    await desk.panel.open(id);
    desk.view.redraw(id);
    if (wanted && desk.panel.isOpen()) desk.panel.focus(wanted);
    wanted = null;
  }

  function openAt(id, field) {
    wanted = field;
    goTo(`#task/${id}`);
  }

  // The panel of a task has been closed.
  function closed(id) {
    if (read().task) goTo(addressOf(place));
    desk.view.redraw(id);
    (find(`#board [data-id="${id}"] .title a`) ?? board).focus();
  }

  function show(there) {
    const next = `${there}/${look()}`;
    const isOther = there !== place;
    place = there;
    keep(place);
    showLists(false);
    if (next === shown) return;
    shown = next;
    if (isOther) desk.filters.clear();
    if (isOther) unfolded.clear();
    redraw();
    scrollTo(0, 0);
    load();
  }

  function load() {
    const isTrash = place === "trash";
    for (const part of [board, find("#add"), find(".looks"), find(".sift")]) part.hidden = isTrash;
    if (isTrash) desk.filters.fold(false);
    desk.trash.hide();
    if (isTrash) desk.trash.show(signal);
    else desk.view.show(viewOf(place, look(), desk.filters.wanted(), unfolded)).then(drawn);
    drawn();
  }

  function reload() {
    load();
  }

  function choose(each) {
    goTo(`${addressOf(place)}/${each}`);
    if (read().place === place) show(place);
  }

  function otherLook() {
    choose(look() === "list" ? "board" : "list");
  }

  function fold(key) {
    unfolded.has(key) ? unfolded.delete(key) : unfolded.add(key);
    load();
  }

  // Something of the lists has changed, or another place is shown.
  function redraw() {
    const name = NAMES[place] ?? desk.lists.nameOf(place.slice(5));
    find("#place").textContent = name;
    find("#day").textContent = place === "today" ? dateInWords(today()) : "";
    document.title = `${name} · Tasks`;
    for (const button of frame.querySelectorAll("[data-look]")) button.ariaPressed = String(button.dataset.look === look());
    for (const link of frame.querySelectorAll(".tabs a")) {
      link.ariaCurrent = link.getAttribute("href") === addressOf(place) ? "page" : null;
    }
    desk.sidebar.draw();
    desk.listForm.draw();
    desk.add.show();
    desk.view.redraw();
  }

  // A list is in the trash.
  function gone({ id }) {
    const hadFocus = find(".this-list").contains(document.activeElement) || find(".side").contains(document.activeElement);
    if (place !== `list/${id}`) return;
    forgetShown();
    goTo(addressOf("all"));
    show("all");
    if (hadFocus) find('.side [href="#all"]').focus();
  }

  function counted(now) {
    counts = now;
    desk.sidebar.tell(now);
    drawn();
  }

  function search() {
    if (["today", "upcoming", "trash"].includes(place)) {
      goTo(addressOf("all"));
      show("all");
    }
    desk.filters.search();
  }

  // On a phone, the side bar is a screen of its own.
  function showLists(isShown) {
    frame.classList.toggle("on-lists", isShown);
    find(".all-lists").ariaExpanded = String(isShown);
  }

  // What stands there when there are no tasks.
  function drawn() {
    const isBusy = board.ariaBusy === "true";
    const hasRows = Boolean(board.querySelector(".task"));
    frame.classList.toggle("without-tasks", Boolean(counts.isEmpty));
    bones.hidden = hasRows || !isBusy || place === "trash";
    blank.hidden = hasRows || isBusy || place === "trash" || look() === "board";
    find("#more").hidden = !desk.view.next || place === "trash";
    if (blank.hidden) return;
    const { heading, text, ways } = nothing();
    if (blank.querySelector("h2").textContent === heading && blank.querySelector("p").textContent === text) return;
    blank.querySelector("h2").textContent = heading;
    blank.querySelector("p").textContent = text;
    blank.querySelector(".ways").replaceChildren(...ways);
  }

  function nothing() {
    const add = way("Add a task", () => desk.add.open());
    if (desk.filters.isNarrowed()) {
      return { heading: "Nothing matches", text: "", ways: [way("Clear filters", () => desk.filters.clear(load))] };
    }
    if (counts.isEmpty) {
      const text = "Type what to do and press Enter. A date in it is understood: “Buy milk tomorrow”.";
      return { heading: "Your first task", text, ways: [add] };
    }
    if (place === "today") {
      const text = counts.upcoming ? `${counts.upcoming} ${counts.upcoming === 1 ? "task is" : "tasks are"} due later.` : "";
      return { heading: "Nothing left for today", text, ways: [way("See what is next", () => goTo("#upcoming"))] };
    }
    if (place === "upcoming") {
      return { heading: "Nothing is planned", text: "Tasks that are due after today stand here.", ways: [add] };
    }
    return { heading: "No open tasks here", text: "", ways: [add] };
  }

  function way(text, act) {
    const button = textIn("button", text, "plain");
    button.type = "button";
    button.addEventListener("click", act);
    return button;
  }
}
