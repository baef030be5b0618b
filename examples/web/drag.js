// The order that people arrange, and dragging with a mouse, a finger or a pen. What it does, menu.js does by keyboard.


// The order that people arrange: where things stand, and what is shown of a move until the service has answered.
const still = matchMedia("(prefers-reduced-motion: reduce)");
let made = 0; // places that were made up

// Positions are compared byte by byte, and then the ids. All characters of both come after the space.
const placeOf = ({ id, position, place }) => place ?? `${position} ${id}`;

export function inOrder(one, other) {
  return placeOf(one) < placeOf(other) ? -1 : 1;
}

// The order of all tasks.
export const isNewer = (one, other) =>
  one.created_at === other.created_at ? one.id > other.id : one.created_at > other.created_at;

// Beside what an element comes to stand if it is at this index among the others.
export function besideAt(others, index) {
  if (others.length === 0) return {};
  return index > 0 ? { after: others[index - 1].dataset.id } : { before: others[0].dataset.id };
}

// Only the service knows the position that it will give, so a place is made up meanwhile: right after the other one, or
// before all that is shown. Of several at the same place, the one that came last stands nearest.
function madeUp({ after, before }, find) {
  made += 1;
  const nearness = 1e9 - made;
  if (after) return `${placeOf(find(after))}~${nearness}`;
  return before ? ` ${nearness}` : "~";
}

// `find` returns what is shown with an id; `draw` shows it anew.
export function makeMoves(find, draw) {
  const waiting = new Map(); // what is shown until the service has answered, by id
  let last = Promise.resolve();
  return { run, onto: (item) => item && { ...item, ...waiting.get(item.id) } };

  // Shows a move at once, and carries out one after the other, in the order in which they were asked for. When it has
  // failed, what moved goes back by itself: what is known of it has not changed.
  async function run(id, fields, beside, work) {
    const place = Object.keys(beside).length > 0 ? { place: madeUp(beside, find) } : {};
    const shown = { ...waiting.get(id), ...fields, ...place };
    waiting.set(id, shown);
    draw(id);
    const done = last.then(work);
    last = done.catch(() => {});
    try {
      return await done;
    } finally {
      if (waiting.get(id) === shown) waiting.delete(id); // otherwise it has been moved again
      draw(id);
    }
  }
}

// Moves an element so that eyes can follow it. It keeps the focus, which an element that moves loses.
export function putBefore(list, element, next) {
  const focused = element.contains(document.activeElement) && document.activeElement;
  const before = element.isConnected && element.getBoundingClientRect();
  list.insertBefore(element, next);
  if (focused) focused.focus();
  if (!before || still.matches || element.closest('.dragged, [aria-busy="true"]')) return; // busy: another list is shown
  const now = element.getBoundingClientRect();
  const from = `${before.left - now.left}px ${before.top - now.top}px`;
  element.animate([{ translate: from }, { translate: "0 0" }], { duration: 150, easing: "ease-out" });
}

// Whether elements stand beside each other, as the lists do on a phone, and not below each other.
export function isRow([first, second]) {
  return Boolean(second) && first.getBoundingClientRect().right <= second.getBoundingClientRect().left;
}

// Drags things with a mouse, a finger or a pen. What it does, menu.js does by keyboard.

const SLOP = 5; // pixels that a hand moves when it only clicks
const EDGE = 60; // pixels at an edge, where what is under the pointer scrolls
const SCROLLS = ".side, .board, html";
const NOT_HELD = ".title a, .note, .facts li, input, button, select"; // texts can be selected, controls are for pressing
const MARKS = ["over", "drop-before", "drop-after"];
const root = document.documentElement;
const targets = new WeakMap(); // by element

// A mouse may take hold of it wherever there is no text to select, a finger or a pen only of its handle: elsewhere they
// scroll the page.
// `thing` has the element that is moved, its kind, and name(), which is shown beside the pointer.
export function canBeDragged(grip, thing) {
  grip.addEventListener("pointerdown", (start) => {
    const mayHold = start.target.closest(".grip") || (start.pointerType === "mouse" && !start.target.closest(NOT_HELD));
    if (mayHold && start.isPrimary && start.button === 0) press(start, thing);
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
