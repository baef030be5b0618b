// Single keys for those who have no hand free for a mouse. They are off in fields and dialogs, and can be turned off.
import { textIn } from "./words.js";

const OFF = "task-api-keys-off"; // in localStorage
const SOON_MS = 1500; // the second key of two comes soon
const PLACES = { t: "today", u: "upcoming", i: "inbox", a: "all" };
const PRIORITIES = { 1: "high", 2: "medium", 3: "low", 0: null };

const HELP = [
  ["Add a task", "n"], ["Search", "/"], ["Next, previous task", "j k ↓ ↑"], ["Open", "Enter"], ["Done", "e"], ["Due", "d"],
  ["High, medium, low, no priority", "1 2 3 0"], ["Move, also to a list", "m"], ["Move up, down", "Alt+↑ Alt+↓"],
  ["Undo", "z Ctrl+z"], ["Today, upcoming, inbox, all", "g-t g-u g-i g-a"], ["List or board", "g-b"], ["Close", "Esc"],
];

const isTyping = (element) => element.matches("input:not([type=checkbox]), select, textarea, [contenteditable]");

export class Keys {
  // `on` has what the keys do: add(), search(), undo(), go(place), look(), help(), and for the task that has the focus
  // tick(id, isDone), due(id), priority(id, value), list(row), step(id, by); and a signal that ends it.
  constructor(dialog, on) {
    Object.assign(this, { on, first: null, timer: null }); // the first of two keys
    const [choice, close] = ["input", "button"].map((each) => dialog.querySelector(each));
    const { signal } = on;
    dialog.querySelector("dl").replaceChildren(...HELP.map(helpOf));
    choice.checked = !localStorage.getItem(OFF);
    choice.addEventListener("change", () => {
      if (choice.checked) localStorage.removeItem(OFF);
      else localStorage.setItem(OFF, "1");
    }, { signal });
    close.addEventListener("click", () => dialog.close(), { signal });
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close(), { signal });
    addEventListener("keydown", (event) => this.press(event), { signal });
  }

  press(event) {
    const { target, key, altKey, ctrlKey, metaKey } = event;
    const isElsewhere = isTyping(target) || target.closest("dialog, [popover]") || document.documentElement.matches(".dragging");
    if (event.defaultPrevented || isElsewhere) return;
    if (ctrlKey || metaKey) return key === "z" && this.on.undo();
    const row = target.closest(".task");
    if (altKey) {
      const by = { ArrowUp: -1, ArrowDown: 1 }[key];
      if (by && row && this.on.step(row, by)) event.preventDefault();
      return;
    }
    const isArrow = key === "ArrowDown" || key === "ArrowUp";
    if ((!isArrow && localStorage.getItem(OFF)) || (isArrow && target.closest(".side, .panel"))) return;
    const act = this.first === "g" ? this.second(key) : this.actOf(key, row);
    this.first = null;
    if (!act) return;
    event.preventDefault();
    act();
  }

  second(key) {
    if (key === "b") return this.on.look;
    return PLACES[key] && (() => this.on.go(PLACES[key]));
  }

  actOf(key, row) {
    const { on } = this;
    const id = row?.dataset.id;
    const ofRow = row && { e: () => on.tick(id), d: () => on.due(id), m: () => on.list(row) };
    const always = {
      n: on.add, "/": on.search, z: on.undo, "?": on.help, g: () => this.wait(), j: () => step(1), k: () => step(-1),
      ArrowDown: () => step(1), ArrowUp: () => step(-1),
    };
    if (row && key in PRIORITIES) return () => on.priority(id, PRIORITIES[key]);
    return ofRow?.[key] ?? always[key];
  }

  wait() {
    this.first = "g";
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.first = null), SOON_MS);
  }
}

// Leads the focus to the next task, or to the one before.
function step(by) {
  const links = [...document.querySelectorAll("#board .title a")].filter((link) => link.checkVisibility());
  const now = links.findIndex((link) => link.closest(".task") === document.activeElement.closest(".task"));
  const next = links[now < 0 ? (by > 0 ? 0 : links.length - 1) : now + by];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function helpOf([name, keys]) {
  const line = document.createElement("div");
  const said = document.createElement("dd");
  said.append(...keys.split(" ").map((key) => textIn("kbd", key.replace("-", " then "))));
  line.append(textIn("dt", name), said);
  return line;
}
