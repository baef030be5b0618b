// The subtasks of a card: how many are done, and their cards below it, folded or not. Here, cards become subtasks.
import { takes } from "./drag.js";

const UNFOLDED = "task-api-unfolded"; // in sessionStorage, so that a reload keeps it
const DEEPEST = ".nest .nest .nest .nest .card"; // on the fifth level, where the service takes no subtasks
const EDGE = 0.25; // of a card: what is dropped there comes before or after it

const unfolded = () => new Set(JSON.parse(sessionStorage.getItem(UNFOLDED) ?? "[]"));
export const forgetUnfolded = () => sessionStorage.removeItem(UNFOLDED);

// `board` has what it tells: move(id, fields, beside), said(text), and add(fields), which returns whether that worked; and
// cardOf(element).
export function makeNest(card, board) {
  const [face, nest, list, toggle, form] = [".face", ".nest", ".subtasks", ".toggle", ".add-subtask"].map((each) =>
    card.element.querySelector(each));
  const items = () => [...list.children];
  const dropped = (id, beside) => board.move(id, { parent_id: card.task.id }, beside);
  const canHold = () => !card.element.matches(DEEPEST);
  takes(list, { kind: "task", items, dropped });
  takes(face, { kind: "task", fits, dropped: adopt });

  toggle.addEventListener("click", () => fold(nest.hidden));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { title } = form.elements;
    const text = title.value;
    title.value = ""; // so that a second Enter adds nothing
    if (!(await board.add({ title: text, parent_id: card.task.id }))) title.value ||= text;
  });
  return { list, items, dropped, tally, levels, canHold, adopt, get name() { return `“${card.task.title}”`; } };

  function fold(isOpen) {
    const ids = unfolded();
    isOpen ? ids.add(card.task.id) : ids.delete(card.task.id);
    sessionStorage.setItem(UNFOLDED, JSON.stringify([...ids]));
    tally();
  }

  // Whether what is dropped at this height becomes a subtask. Between the face and the nest below it, nothing else could.
  function fits(thing, y) {
    const { top, height } = face.getBoundingClientRect();
    const part = (y - top) / height;
    return canHold() && part > EDGE && (part < 1 - EDGE || !nest.hidden);
  }

  // Makes a card a subtask, and shows where it has gone.
  async function adopt(id) {
    fold(true);
    const task = await board.move(id, { parent_id: card.task.id });
    if (task) board.said(`“${task.title}” is a subtask of “${card.task.title}” now.`);
  }

  // A level in is under the card above it, and a level out is after the card that it is under.
  function levels() {
    const above = board.cardOf(card.element.previousElementSibling);
    const parent = board.cardOf(card.element.parentElement.closest(".card"));
    const isNear = above?.nest.canHold() && above.task.list_id === card.task.list_id;
    return {
      in: isNear && { text: `Make a subtask of “${above.task.title}”`, act: () => above.nest.adopt(card.task.id) },
      out: parent && { text: `Move out of “${parent.task.title}”`, act: () => leave(parent.task) },
    };
  }

  async function leave(parent) {
    const task = await board.move(card.task.id, { parent_id: parent.parent_id }, { after: parent.id });
    if (task) board.said(`“${task.title}” is no longer a subtask of “${parent.title}”.`);
  }

  function tally() {
    const { id, title } = card.task;
    const isOpen = unfolded().has(id);
    const all = items();
    const done = all.filter((item) => item.dataset.status === "done").length;
    toggle.textContent = all.length > 0 ? `${done} of ${all.length} done` : "";
    toggle.ariaLabel = `Subtasks of ${title}${all.length > 0 ? `: ${toggle.textContent}` : ""}`;
    toggle.ariaExpanded = String(isOpen);
    nest.hidden = !isOpen;
    list.ariaLabel = `Subtasks of ${title}`;
    form.elements.title.ariaLabel = `New subtask of ${title}`;
  }
}
