// Moves cards with the mouse. What it does, the forms of the cards do by keyboard and by touch.
const KIND = "application/x-task-id"; // so that nothing else that somebody drops is taken for a card

export function canBeDragged(element, id) {
  element.draggable = true;
  element.addEventListener("dragstart", ({ dataTransfer }) => {
    dataTransfer.setData(KIND, id());
    dataTransfer.effectAllowed = "move";
  });
}

// Calls `dropped` with the id of the task.
export function takesCards(element, dropped) {
  const highlight = (isOver) => element.classList.toggle("over", isOver);
  element.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes(KIND)) return;
    event.preventDefault(); // which means that it may be dropped here
    highlight(true);
  });
  element.addEventListener("dragleave", ({ relatedTarget }) => {
    if (!element.contains(relatedTarget)) highlight(false);
  });
  element.addEventListener("drop", (event) => {
    highlight(false);
    const id = event.dataTransfer.getData(KIND);
    if (!id) return;
    event.preventDefault();
    dropped(id);
  });
}
