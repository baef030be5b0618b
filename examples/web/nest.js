// The subtasks of a card: how many are done, and their cards below it, folded or not.
import { takes } from "./drag.js";

const UNFOLDED = "task-api-unfolded"; // in sessionStorage, so that a reload keeps it

const unfolded = () => new Set(JSON.parse(sessionStorage.getItem(UNFOLDED) ?? "[]"));
export const forgetUnfolded = () => sessionStorage.removeItem(UNFOLDED);

// `board` has what it tells: move(id, fields, beside), and add(fields), which returns whether that worked.
export function makeNest(card, board) {
  const [nest, list, toggle, form] = [".nest", ".subtasks", ".toggle", ".add-subtask"].map((each) =>
    card.element.querySelector(each));
  const items = () => [...list.children];
  const dropped = (id, beside) => board.move(id, { parent_id: card.task.id }, beside);
  takes(list, { kind: "task", items, dropped });

  toggle.addEventListener("click", () => {
    const ids = unfolded();
    if (!ids.delete(card.task.id)) ids.add(card.task.id);
    sessionStorage.setItem(UNFOLDED, JSON.stringify([...ids]));
    tally();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { title } = form.elements;
    const text = title.value;
    title.value = ""; // so that a second Enter adds nothing
    if (!(await board.add({ title: text, parent_id: card.task.id }))) title.value ||= text;
  });
  return { list, items, dropped, tally, get name() { return `“${card.task.title}”`; } };

  function tally() {
    const { id, title } = card.task;
    const isOpen = unfolded().has(id);
    const all = items();
    const done = all.filter((item) => item.dataset.status === "done").length;
    toggle.textContent = all.length > 0 ? `${done} of ${all.length} done` : "Subtasks";
    toggle.ariaLabel = `Subtasks of ${title}${all.length > 0 ? `: ${toggle.textContent}` : ""}`;
    toggle.ariaExpanded = String(isOpen);
    nest.hidden = !isOpen;
    list.ariaLabel = `Subtasks of ${title}`;
    form.elements.title.ariaLabel = `New subtask of ${title}`;
  }
}
