// Drags things with a mouse, a finger or a pen. What it does, menu.js does by keyboard.
import { besideAt, isRow } from "./order.js";

const SLOP = 5; // pixels that a hand moves when it only clicks
const EDGE = 60; // pixels at an edge, where what is under the pointer scrolls
const SCROLLS = ".side, .board, html";
// Controls are for pressing. In a list, texts can be selected; a card is taken hold of anywhere.
const NOT_HELD = "input, button, select, a.address, #board.list :is(.title a, .note, .facts li)";
const MARKS = ["over", "drop-before", "drop-after"];
const root = document.documentElement;
const targets = new WeakMap(); // by element

// A mouse may take hold of it wherever there is no text to select, a finger or a pen only of its handle: elsewhere they
// scroll the page.
// `thing` has the element that is moved, its kind, and name(), which is shown beside the pointer.
export function canBeDragged(grip, thing) {
  grip.addEventListener("pointerdown", (start) => {
    const mayHold = start.target.closest(".grip") || (start.pointerType === "mouse" && !start.target.closest(NOT_HELD));
    if (mayHold && start.isPrimary && start.button === 0) new Drag(start, thing);
  });
}

// `target` has the kind that it takes, and dropped(id, beside). With items(), the elements that are in order there, things
// are dropped between two of them. With fits(thing, y), it does not take everything at every height.
export function takes(element, target) {
  targets.set(element, { element, items: () => [], fits: () => true, ...target });
}

// What is dragged, from the press of a button, or the touch of a finger, until it ends.
class Drag {
  constructor(start, thing) {
    Object.assign(this, { start, thing, pointer: start }); // the pointer is where it was last
    this.ghost = null; // what is beside the pointer, once it has moved
    this.drop = null; // what would happen if it ended here
    this.stop = new AbortController();
    const { signal } = this.stop;
    const acts = { pointermove: (event) => this.move(event), pointerup: () => this.end(), pointercancel: () => this.cancel() };
    for (const [type, act] of Object.entries(acts)) {
      addEventListener(type, (event) => event.pointerId === start.pointerId && act(event), { signal });
    }
    addEventListener("keydown", (event) => event.key === "Escape" && this.cancel(), { signal });
    addEventListener("contextmenu", (event) => event.preventDefault(), { signal }); // of a long touch
  }

  move(event) {
    this.pointer = event;
    const way = Math.hypot(event.clientX - this.start.clientX, event.clientY - this.start.clientY);
    if (!this.ghost && way < SLOP) return;
    if (!this.ghost) this.begin();
    this.look();
  }

  begin() {
    this.ghost = document.createElement("div");
    this.ghost.className = "ghost";
    this.ghost.ariaHidden = "true";
    this.ghost.textContent = this.thing.name();
    document.body.append(this.ghost);
    root.classList.add("dragging");
    root.setPointerCapture(this.start.pointerId); // so that it may leave the window, and what it began on may go
    this.thing.element.classList.add("dragged");
    requestAnimationFrame(() => this.scroll());
  }

  look() {
    const { clientX: x, clientY: y } = this.pointer;
    this.ghost.style.translate = `${x}px ${y}px`;
    this.drop = dropAt(x, y, this.thing);
    mark(this.drop);
  }

  scroll() {
    if (this.stop.signal.aborted) return;
    if (scrollNear(this.pointer)) this.look();
    requestAnimationFrame(() => this.scroll());
  }

  end() {
    const { drop, thing } = this;
    if (this.ghost) addEventListener("click", ignore, { capture: true, once: true }); // that the browser makes of it
    setTimeout(() => removeEventListener("click", ignore, true));
    if (drop) {
      thing.element.dispatchEvent(new Event("dropped", { bubbles: true }));
      drop.target.dropped(thing.element.dataset.id, drop.beside);
    }
    this.cancel();
  }

  cancel() {
    this.stop.abort();
    mark(null);
    this.ghost?.remove();
    root.classList.remove("dragging");
    this.thing.element.classList.remove("dragged");
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
