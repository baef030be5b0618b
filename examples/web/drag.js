// Drags things with a mouse, a finger or a pen. What it does, menu.js does by keyboard.
import { besideAt, isRow } from "./order.js";

const SLOP = 5; // pixels that a hand moves when it only clicks
const EDGE = 60; // pixels at an edge, where what is under the pointer scrolls
const SCROLLS = ".names, .side, html";
const MARKS = ["over", "drop-before", "drop-after"];
const root = document.documentElement;
const targets = new WeakMap(); // by element

// A mouse may take hold of it anywhere, a finger or a pen only of its handle: elsewhere they scroll the page.
// `thing` has the element that is moved, its kind, and name(), which is shown beside the pointer.
export function canBeDragged(grip, thing) {
  grip.addEventListener("pointerdown", (start) => {
    const mayHold = start.pointerType === "mouse" || start.target.closest(".handle");
    if (mayHold && start.isPrimary && start.button === 0 && !start.target.closest("select")) press(start, thing);
  });
}

// `target` has the kind that it takes, and dropped(id, beside). With items(), the elements that are in order there, things
// are dropped between two of them. With fits(thing, y), it does not take everything at every height.
export function takes(element, target) {
  targets.set(element, { element, items: () => [], fits: () => true, ...target });
}

// From the press of a button, or the touch of a finger, until it ends.
function press(start, thing) {
  const { pointerId } = start;
  const stop = new AbortController();
  let pointer = start; // where it was last
  let ghost = null; // what is beside the pointer, once it has moved
  let drop = null; // what would happen if it ended here

  for (const [type, act] of Object.entries({ pointermove: move, pointerup: end, pointercancel: cancel })) {
    addEventListener(type, (event) => event.pointerId === pointerId && act(event), { signal: stop.signal });
  }
  addEventListener("keydown", (event) => event.key === "Escape" && cancel(), { signal: stop.signal });
  addEventListener("contextmenu", (event) => event.preventDefault(), { signal: stop.signal }); // of a long touch

  function move(event) {
    pointer = event;
    if (!ghost && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) < SLOP) return;
    if (!ghost) begin();
    look();
  }

  function begin() {
    ghost = document.createElement("div");
    ghost.className = "ghost";
    ghost.ariaHidden = "true";
    ghost.textContent = thing.name();
    document.body.append(ghost);
    root.classList.add("dragging");
    root.setPointerCapture(pointerId); // so that it may leave the window, and what it began on may go
    thing.element.classList.add("dragged");
    requestAnimationFrame(scroll);
  }

  function look() {
    const { clientX: x, clientY: y } = pointer;
    ghost.style.translate = `${x}px ${y}px`;
    drop = dropAt(x, y, thing);
    mark(drop);
  }

  function scroll() {
    if (stop.signal.aborted) return;
    if (scrollNear(pointer)) look();
    requestAnimationFrame(scroll);
  }

  function end() {
    const found = drop;
    if (ghost) addEventListener("click", ignore, { capture: true, once: true }); // that the browser makes of it
    setTimeout(() => removeEventListener("click", ignore, true));
    if (found) {
      thing.element.dispatchEvent(new Event("dropped", { bubbles: true }));
      found.target.dropped(thing.element.dataset.id, found.beside);
    }
    cancel();
  }

  function cancel() {
    stop.abort();
    mark(null);
    ghost?.remove();
    root.classList.remove("dragging");
    thing.element.classList.remove("dragged");
  }
}

// What would happen to a thing that is dropped here; null: nothing.
function dropAt(x, y, { element, kind }) {
  const isFor = (target) => target?.kind === kind && !element.contains(target.element) && target.fits(element, y);
  let at = document.elementFromPoint(x, y);
  while (at && !isFor(targets.get(at))) at = at.parentElement; // the innermost one takes it
  if (!at) return null;
  const target = targets.get(at);
  const items = target.items();
  const others = items.filter((item) => item !== element);
  const inRow = isRow(items);
  const isAfter = ({ left, top, width, height }) => (inRow ? left + width / 2 > x : top + height / 2 > y);
  const found = others.findIndex((item) => isAfter(item.getBoundingClientRect()));
  const index = found < 0 ? others.length : found;
  const stays = index === items.indexOf(element); // where it is
  return stays ? null : { target, beside: besideAt(others, index), next: others[index], previous: others[index - 1] };
}

// Shows where it would come to stand. The marks take no room, so nothing moves.
function mark(drop) {
  for (const name of MARKS) document.querySelectorAll(`.${name}`).forEach((each) => each.classList.remove(name));
  if (!drop) return;
  const { next, previous, target } = drop;
  if (next) next.classList.add("drop-before");
  else if (previous) previous.classList.add("drop-after");
  else target.element.classList.add("over");
}

// Returns whether there was a reason to scroll.
function scrollNear({ clientX: x, clientY: y }) {
  const near = (at, low, high) => Math.min(0, at - low - EDGE) + Math.max(0, at - high + EDGE);
  let hasScrolled = false;
  for (let box = document.elementFromPoint(x, y)?.closest(SCROLLS); box; box = box.parentElement?.closest(SCROLLS)) {
    const isPage = box === root;
    const { left, top, right, bottom } = isPage ? new DOMRect(0, 0, innerWidth, innerHeight) : box.getBoundingClientRect();
    const [across, down] = [isPage ? 0 : near(x, left, right), near(y, top, bottom)];
    box.scrollBy({ left: across / 4, top: down / 4, behavior: "instant" });
    hasScrolled ||= across !== 0 || down !== 0;
  }
  return hasScrolled;
}

function ignore(event) {
  event.stopPropagation();
  event.preventDefault();
}
