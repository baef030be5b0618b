// Planning by one press: buttons on the row under the pointer or with the focus, and the menu behind them.
import { dayInSentence, dayInWords, onDay, PRIORITIES, textIn, today } from "./words.js";

const SATURDAY = 6;
const MONDAY = 1;

// The next day with this number in the week; today is not meant.
const next = (wanted) => today(((wanted - new Date().getDay() + 6) % 7) + 1);

export const PLANS = {
  today: { name: "Today", day: () => today() },
  tomorrow: { name: "Tomorrow", day: () => today(1) },
  weekend: { name: "Next Saturday", day: () => next(SATURDAY), isNamedByDay: true },
  week: { name: "Next Monday", day: () => next(MONDAY), isNamedByDay: true },
  none: { name: "No date", day: () => null },
};

// What to change so that a task is due on a day; null: it is not due at all, and then has no start either.
export function planFor(task, day) {
  return day ? onDay(task, day) : { due_date: null, due_at: null, start_date: null, start_at: null };
}

// Buttons for some of them, which say the day.
export function planButtons(names) {
  return names.map((name) => {
    const { name: words, day, isNamedByDay } = PLANS[name];
    const button = textIn("button", isNamedByDay ? dayInWords(day()) : words);
    button.dataset.plan = name;
    return Object.assign(button, { type: "button", title: isNamedByDay ? words : "" });
  });
}

const isFinger = matchMedia("(hover: none)");

export class Plans {
  // There is one bar of buttons, which goes to the row that is looked at: a long list stays light, and has no more stops
  // for the Tab key. `on` has taskOf(id), plan(id, fields, words), and remove(task).
  constructor(board, bar, menu, on) {
    Object.assign(this, { board, bar, menu, on, id: null });
    bar.remove();
    board.addEventListener("pointerover", ({ target, pointerType }) => pointerType !== "touch" && this.goTo(target));
    board.addEventListener("focusin", ({ target }) => this.goTo(target));
    bar.addEventListener("click", ({ target }) => target.dataset.plan && this.plan(PLANS[target.dataset.plan].day()));
    bar.querySelector(".other").addEventListener("click", () => this.open());
    menu.addEventListener("click", ({ target }) => this.choose(target.dataset));
    menu.addEventListener("change", ({ target }) => target.value && this.close(() => this.plan(target.value)));
    menu.addEventListener("toggle", ({ newState }) => this.toggled(newState === "open"));
    menu.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !menu.contains(relatedTarget)) menu.hidePopover(); // Tab leads out of it
    });
  }

  goTo(target) {
    const face = target.closest(".face");
    const isBusy = this.menu.matches(":popover-open") || document.documentElement.matches(".dragging");
    const isUsed = this.bar.querySelector(":focus-visible"); // by the keyboard, somewhere else
    if (!face || isFinger.matches || isBusy || isUsed || face.contains(this.bar)) return;
    face.append(this.bar);
    this.id = face.closest(".task").dataset.id;
    const { title } = this.on.taskOf(this.id);
    for (const button of this.bar.children) button.ariaLabel = `${button.title}: ${title}`;
  }

  toggled(isOpen) {
    this.bar.querySelector(".other").ariaExpanded = String(isOpen);
    this.bar.classList.toggle("open", isOpen);
  }

  open() {
    const { menu } = this;
    const task = this.on.taskOf(this.id);
    menu.querySelector("#planned").textContent = `Plan “${task.title}”`;
    menu.querySelector("input").value = "";
    menu.querySelector(".days").replaceChildren(...planButtons(Object.keys(PLANS)));
    menu.querySelector(".priorities").replaceChildren(...priorityButtons(task.priority));
    menu.showPopover();
    this.place();
    menu.querySelector("button").focus();
  }

  place() {
    const { right, top, bottom } = this.bar.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.menu;
    const below = bottom + height + 8 <= innerHeight ? bottom + 4 : top - height - 4;
    this.menu.style.left = `${Math.max(4, Math.min(right - width, innerWidth - width - 8))}px`;
    this.menu.style.top = `${Math.max(4, below)}px`;
  }

  choose({ plan, priority, act }) {
    if (plan) this.close(() => this.plan(PLANS[plan].day()));
    if (priority !== undefined) this.close(() => this.on.plan(this.id, { priority: priority || null }));
    if (act === "remove") this.close(() => this.on.remove(this.on.taskOf(this.id)));
  }

  // The menu gives the focus back before the row goes elsewhere, so that the row has it and keeps it.
  close(then) {
    this.menu.hidePopover();
    then();
  }

  plan(day) {
    const task = this.on.taskOf(this.id);
    this.board.querySelector(`[data-id="${this.id}"] .title a`)?.focus();
    const words = day ? `“${task.title}” is due ${dayInSentence(day)}.` : `“${task.title}” has no date now.`;
    this.on.plan(this.id, planFor(task, day), words);
  }
}

function priorityButtons(now) {
  return Object.entries({ ...PRIORITIES, "": "None" }).map(([value, words]) => {
    const button = textIn("button", words);
    button.dataset.priority = value;
    return Object.assign(button, { type: "button", ariaPressed: String((now ?? "") === value) });
  });
}
