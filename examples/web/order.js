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

// What is shown of moves that the service has not answered yet. `find` returns what is shown with an id; `draw` shows it anew.
export class Moves {
  constructor(find, draw) {
    Object.assign(this, { find, draw, last: Promise.resolve() });
    this.waiting = new Map(); // what is shown until the service has answered, by id
  }

  onto(item) {
    return item && { ...item, ...this.waiting.get(item.id) };
  }

  // Shows a move at once, and carries out one after the other, in the order in which they were asked for. When it has
  // failed, what moved goes back by itself: what is known of it has not changed.
  async run(id, fields, beside, work) {
    const place = Object.keys(beside).length > 0 ? { place: madeUp(beside, this.find) } : {};
    const shown = { ...this.waiting.get(id), ...fields, ...place };
    this.waiting.set(id, shown);
    this.draw(id);
    const done = this.last.then(work);
    this.last = done.catch(() => {});
    try {
      return await done;
    } finally {
      if (this.waiting.get(id) === shown) this.waiting.delete(id); // otherwise it has been moved again
      this.draw(id);
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
