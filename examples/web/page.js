// The frame around the tasks: which place is shown, its heading, and what is said when there is nothing to show.
import { addressOf, forgetShown, goTo, keep, kept, look, read, SHEET, viewOf } from "./views.js";
import { dateInWords, textIn, today } from "./words.js";

const NAMES = { today: "Today", upcoming: "Upcoming", inbox: "Inbox", all: "All tasks", trash: "Trash" };

export class Page {
  // `session` has the address of the service, and signOut().
  constructor(desk, session) {
    const { frame, find, signal } = desk;
    Object.assign(this, { desk, session, frame, find, signal });
    [this.board, this.blank, this.bones] = ["#board", "#blank", "#bones"].map(find);
    this.unfolded = new Set(); // sections
    this.shown = ""; // place and look
    this.current = ""; // place
    this.counts = {};
    this.day = today();
    this.wanted = null; // the field of the panel that gets the focus
    this.listen();
  }

  place() {
    return this.current;
  }

  listen() {
    const acts = {
      "#sign-out": this.session.signOut,
      ".import": () => this.desk.files.choose(),
      ".export": () => this.desk.files.save(),
      ".side .new": () => this.desk.add.open(),
      ".tabs .plus": () => this.desk.add.open(),
      ".side .search": () => this.search(),
      ".tabs .find": () => this.search(),
      ".help": () => document.querySelector("#keys").showModal(),
      "#more": () => this.desk.view.fetchMore(),
      ".all-lists": () => (read().isSheet ? history.back() : goTo(SHEET)),
    };
    for (const [selector, act] of Object.entries(acts)) this.find(selector).addEventListener("click", act);
    this.find(".looks").addEventListener("click", ({ target }) => target.dataset.look && this.choose(target.dataset.look));
    const account = this.find("#account");
    account.addEventListener("click", ({ target }) => target.closest("a, button") && account.hidePopover());
    this.frame.addEventListener("click", (event) => this.leaveSheet(event));
    addEventListener("hashchange", () => this.follow(), { signal: this.signal });
    document.addEventListener("visibilitychange", () => this.comeBack(), { signal: this.signal });
  }

  // A page that was left open shows another day.
  comeBack() {
    if (document.hidden || this.day === today()) return;
    this.day = today();
    this.redraw();
    this.load();
  }

  greet(name) {
    this.find(".guide").href = `${this.session.address}/docs/guide`;
    this.find("#who").textContent = name;
    this.find(".side .face").textContent = [...name][0]?.toUpperCase() ?? "";
  }

  // At the start: what the address says, or what was shown last, or Today, if anything is due.
  begin(found) {
    this.counts = found;
    if (!this.isThere(this.current)) this.current = "";
    const start = [read().place, kept(), found.today > 0 ? "today" : "all"].find((each) => each && this.isThere(each));
    if (!location.hash) history.replaceState(null, "", `#${start}`); // so that the browser's Back comes to a place
    this.show(start);
    this.follow();
  }

  // Lists come and go.
  isThere(each) {
    return !each.startsWith("list/") || Boolean(this.desk.lists.get(each.slice(5)));
  }

  // What the address says. On a phone, the side bar is a sheet with an address of its own, so that Back closes it.
  follow() {
    const { place: there, task, isSheet } = read();
    this.showLists(Boolean(isSheet));
    if (there) this.show(this.isThere(there) ? there : "all");
    if (task) return this.openPanel(task);
    if (there && this.desk.panel.isOpen()) this.desk.panel.close();
  }

  async openPanel(id) {
    await this.desk.panel.open(id);
    this.desk.view.rows.redraw(id);
    if (this.wanted && this.desk.panel.isOpen()) this.desk.panel.focus(this.wanted);
    this.wanted = null;
  }

  openAt(id, field) {
    this.wanted = field;
    goTo(`#task/${id}`);
  }

  // The panel of a task has been closed.
  closed(id) {
    if (read().task) goTo(addressOf(this.current));
    this.desk.view.rows.redraw(id);
    (this.find(`#board [data-id="${id}"] .title a`) ?? this.board).focus();
  }

  show(there) {
    const next = `${there}/${look()}`;
    const isOther = there !== this.current;
    this.current = there;
    keep(this.current);
    if (next === this.shown) return;
    this.shown = next;
    if (isOther) this.desk.filters.clear();
    if (isOther) this.unfolded.clear();
    this.redraw();
    scrollTo(0, 0);
    this.load();
  }

  load() {
    const isTrash = this.current === "trash";
    for (const part of [this.board, this.find("#add"), this.find(".looks"), this.find(".sift")]) part.hidden = isTrash;
    if (isTrash) this.desk.filters.fold(false);
    this.desk.trash.hide();
    if (isTrash) this.desk.trash.show(this.signal);
    else this.desk.view.show(viewOf(this.current, look(), this.desk.filters.wanted(), this.unfolded)).then(() => this.drawn());
    this.drawn();
  }

  reload() {
    this.load();
  }

  choose(each) {
    goTo(`${addressOf(this.current)}/${each}`);
    if (read().place === this.current) this.show(this.current);
  }

  otherLook() {
    this.choose(look() === "list" ? "board" : "list");
  }

  fold(key) {
    this.unfolded.has(key) ? this.unfolded.delete(key) : this.unfolded.add(key);
    this.load();
  }

  // Something of the lists has changed, or another current is shown.
  redraw() {
    const name = NAMES[this.current] ?? this.desk.lists.nameOf(this.current.slice(5));
    this.find("#place").textContent = name;
    this.find("#day").textContent = this.current === "today" ? dateInWords(today()) : "";
    document.title = `${name} · Tasks`;
    for (const button of this.frame.querySelectorAll("[data-look]")) button.ariaPressed = String(button.dataset.look === look());
    for (const link of this.frame.querySelectorAll(".tabs a")) {
      link.ariaCurrent = link.getAttribute("href") === addressOf(this.current) ? "page" : null;
    }
    this.desk.sidebar.draw();
    this.desk.listForm.draw();
    this.desk.add.show();
    this.desk.view.rows.redraw();
  }

  // A list is in the trash.
  gone({ id }) {
    const hadFocus = [".this-list", ".side"].some((each) => this.find(each).contains(document.activeElement));
    if (this.current !== `list/${id}`) return;
    forgetShown();
    goTo(addressOf("all"));
    this.show("all");
    if (hadFocus) this.find('.side [href="#all"]').focus();
  }

  counted(now) {
    this.counts = now;
    this.desk.sidebar.tell(now);
    this.drawn();
  }

  search() {
    if (read().isSheet) goTo(addressOf(this.current));
    if (["today", "upcoming", "trash"].includes(this.current)) {
      goTo(addressOf("all"));
      this.show("all");
    }
    this.desk.filters.search();
  }

  leaveSheet(event) {
    const link = event.target.closest("a[href^='#']");
    if (!link || !read().isSheet) return;
    event.preventDefault();
    goTo(link.getAttribute("href"));
  }

  showLists(isShown) {
    this.frame.classList.toggle("on-lists", isShown);
    this.find(".all-lists").ariaExpanded = String(isShown);
  }

  // What stands there when there are no tasks.
  drawn() {
    const isBusy = this.board.ariaBusy === "true";
    const hasRows = Boolean(this.board.querySelector(".task"));
    this.frame.classList.toggle("without-tasks", Boolean(this.counts.isEmpty));
    this.bones.hidden = hasRows || !isBusy || this.current === "trash";
    this.blank.hidden = hasRows || isBusy || this.current === "trash" || look() === "board";
    this.find("#more").hidden = !this.desk.view.next || this.current === "trash";
    if (this.blank.hidden) return;
    const { heading, text, ways } = this.nothing();
    if (this.blank.querySelector("h2").textContent === heading && this.blank.querySelector("p").textContent === text) return;
    this.blank.querySelector("h2").textContent = heading;
    this.blank.querySelector("p").textContent = text;
    this.blank.querySelector(".ways").replaceChildren(...ways);
  }

  nothing() {
    const add = this.way("Add a task", () => this.desk.add.open());
    if (this.desk.filters.isNarrowed()) {
      const clear = () => this.desk.filters.clear(() => this.load());
      return { heading: "Nothing matches", text: "", ways: [this.way("Clear filters", clear)] };
    }
    if (this.counts.isEmpty) {
      const text = "Type what to do and press Enter. A date in it is understood: “Buy milk tomorrow”.";
      return { heading: "Your first task", text, ways: [add, this.way("Import a file", () => this.desk.files.choose())] };
    }
    if (this.current === "today") {
      const { upcoming } = this.counts;
      const text = upcoming ? `${upcoming} ${upcoming === 1 ? "task is" : "tasks are"} due later.` : "";
      return { heading: "Nothing left for today", text, ways: [this.way("See what is next", () => goTo("#upcoming"))] };
    }
    if (this.current === "upcoming") {
      return { heading: "Nothing is planned", text: "Tasks that are due after today stand here.", ways: [add] };
    }
    return { heading: "No open tasks here", text: "", ways: [add] };
  }

  way(text, act) {
    const button = textIn("button", text, "plain");
    button.type = "button";
    button.addEventListener("click", act);
    return button;
  }
}
