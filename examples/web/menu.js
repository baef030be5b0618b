// The menu that a handle opens. It moves things without dragging: by keyboard, with a screen reader, or by single taps.
import { besideAt, isRow } from "./order.js";
import { offer, STATUSES } from "./words.js";

const GAP = 4; // pixels between handle and menu, and around it
const menu = document.querySelector("#menu");
const [name, where, list, into, status, become] = ["#moved", ".where", "[name=list]", ".into", "[name=status]", ".become"].map(
  (each) => menu.querySelector(each),
);
const steps = [...menu.querySelectorAll("[data-to]")];
const levels = [...menu.querySelectorAll("[data-level]")];
let handle = null; // that has opened it
let thing = null;
let offered = {}; // what the buttons of `levels` do

offer(status, STATUSES);
menu.addEventListener("toggle", ({ newState }) => {
  if (newState === "closed" && handle) handle.ariaExpanded = "false";
});
menu.addEventListener("focusout", ({ relatedTarget }) => {
  if (relatedTarget && !menu.contains(relatedTarget)) menu.hidePopover(); // Tab leads out of it
});
for (const step of steps) step.addEventListener("click", () => put(step.dataset.to));
for (const level of levels) {
  level.addEventListener("click", () => {
    menu.hidePopover(); // before the card goes, so that its handle has the focus and keeps it
    offered[level.dataset.level].act();
  });
}
into.addEventListener("submit", (event) => {
  event.preventDefault();
  const { value } = list;
  menu.hidePopover(); // before the card goes, so that its neighbour gets the focus
  thing.into(value || null);
});

become.addEventListener("submit", (event) => {
  event.preventDefault();
  const { value } = status;
  menu.hidePopover();
  thing.become(value);
});

// `what` has the element that is moved, and name(), items(), dropped(id, beside), where(place). Of a task also options(),
// the lists, into(listId), status(), become(status), and levels(): what leads a level in or out, each with its text and act().
export function opensMenu(button, what) {
  button.ariaExpanded = "false";
  button.addEventListener("click", () => {
    if (handle === button && menu.matches(":popover-open")) return menu.hidePopover();
    [handle, thing] = [button, what];
    open();
  });
}

// What has opened it goes away, and the menu with it.
export function closeMenu(element) {
  if (element?.contains(handle) && menu.matches(":popover-open")) menu.hidePopover();
}

function open() {
  name.textContent = `Move “${thing.name()}”`;
  into.hidden = become.hidden = !thing.options;
  if (thing.options) {
    list.replaceChildren(...thing.options());
    list.value = thing.listId() ?? "";
    status.value = thing.status();
  }
  tell();
  menu.showPopover();
  handle.ariaExpanded = "true";
  place();
  [...steps, ...levels, list].find((each) => each.checkVisibility()).focus();
}

// Below the handle, or above it if there is no room. It then stays there, under the finger, when the card moves.
function place() {
  const { left, top, bottom } = handle.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const isBelow = bottom + GAP + height <= innerHeight;
  menu.style.left = `${Math.max(GAP, Math.min(left, innerWidth - width - 2 * GAP))}px`;
  menu.style.top = `${Math.max(GAP, isBelow ? bottom + GAP : top - GAP - height)}px`;
}

// Says where it stands now. Screen readers read it out when it changes.
function tell() {
  const items = thing.items();
  const index = items.indexOf(thing.element);
  const words = isRow(items) ? { back: "Left", on: "Right" } : { back: "Up", on: "Down" };
  where.textContent = index < 0 ? "" : thing.where(`${index + 1} of ${items.length}`);
  for (const step of steps) {
    const { to } = step.dataset;
    step.hidden = index < 0;
    step.textContent = words[to] ?? step.textContent;
    step.ariaDisabled = index === indexOf(to, index, items) ? "true" : null; // not `disabled`, which would lose the focus
  }
  offered = thing.levels?.() ?? {};
  for (const level of levels) {
    const choice = offered[level.dataset.level];
    level.hidden = !choice;
    level.textContent = choice?.text ?? "";
  }
}

const indexOf = (to, index, { length }) =>
  ({ first: 0, back: Math.max(0, index - 1), on: Math.min(length - 1, index + 1), last: length - 1 })[to];

async function put(to) {
  const [moved, items] = [thing, thing.items()];
  const index = items.indexOf(moved.element);
  const goal = indexOf(to, index, items);
  if (index < 0) return menu.hidePopover(); // it has gone elsewhere
  if (index === goal) return;
  const done = moved.dropped(moved.element.dataset.id, besideAt(items.filter((item) => item !== moved.element), goal));
  moved.element.scrollIntoView({ block: "nearest", inline: "nearest" });
  tell();
  await done;
  if (moved === thing) tell(); // it may have gone back
}
