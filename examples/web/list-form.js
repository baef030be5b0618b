// The form for the list that is shown: its name, its colour, the archive, and the trash.

const PLAIN = "#8a857c"; // shown for a list without a colour

export class ListForm {
  // `on` has chosen(), the id of the list or null, and attempt(work), which says what went wrong. The `lists` are those of
  // lists.js.
  constructor(form, button, lists, on) {
    Object.assign(this, { form, button, lists, on, archive: form.querySelector(".archive-list") });
    const { name, color } = form.elements;
    const change = (fields) => on.attempt(() => lists.change(on.chosen(), fields));
    button.addEventListener("click", () => this.fold(form.hidden));
    form.addEventListener("keydown", ({ key }) => key === "Escape" && this.fold(false));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      change({ name: name.value });
    });
    color.addEventListener("change", () => change({ color: color.value }));
    this.archive.addEventListener("click", () => change({ archived: !lists.get(on.chosen()).archived }));
    form.querySelector(".delete").addEventListener("click", () => on.attempt(() => lists.remove(on.chosen())));
  }

  fold(isOpen) {
    const { form, button } = this;
    const hadFocus = form.contains(document.activeElement);
    form.hidden = !isOpen;
    button.ariaExpanded = String(isOpen);
    this.draw();
    if (isOpen) form.elements.name.focus();
    else if (hadFocus) button.focus();
  }

  draw() {
    const { form, button } = this;
    const { name, color } = form.elements;
    const list = this.lists.get(this.on.chosen());
    button.hidden = !list;
    if (!list) {
      form.hidden = true;
      button.ariaExpanded = "false";
      return;
    }
    if (document.activeElement !== name) name.value = list.name;
    if (document.activeElement !== color) color.value = list.color ?? PLAIN;
    this.archive.textContent = list.archived ? "Bring back from the archive" : "Archive";
  }
}
