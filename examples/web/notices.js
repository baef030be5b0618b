// The message at the foot of the page: what was done, with a way to undo it, or what went wrong.
const UNDO_MS = 10_000;
const READ_MS = 5_000;

export class Notices {
  // `home` returns what gets the focus when the message that has it goes away.
  constructor(message, home) {
    Object.assign(this, { message, home, timer: null, undo: null });
    [this.words, this.button, this.close] = ["[role=status]", ".undo", ".close"].map((each) => message.querySelector(each));
    this.before = null; // where the focus was before it came to the message
    message.addEventListener("focusin", ({ relatedTarget }) => {
      if (!message.contains(relatedTarget)) this.before = relatedTarget;
      clearTimeout(this.timer);
    });
    message.addEventListener("focusout", () => this.begin());
    message.addEventListener("pointerenter", () => clearTimeout(this.timer)); // nobody has to hurry
    message.addEventListener("pointerleave", () => this.begin());
    this.close.addEventListener("click", () => this.say(""));
    this.button.addEventListener("click", () => this.takeBack());
  }

  stands() {
    return this.message.className === "problem";
  }

  // With `undo`, an async function, the message has a button for it; `focus` leads the focus there.
  say(text, { undo = null, focus = false } = {}) {
    const { message, before } = this;
    const hadFocus = message.contains(document.activeElement); // on a button that may be hidden now
    message.className = "";
    this.words.textContent = text;
    this.close.hidden = !text;
    this.undo = undo;
    this.button.hidden = !undo;
    this.begin();
    if (focus) this.button.focus();
    else if (hadFocus) (before?.isConnected && before.checkVisibility() ? before : this.home()).focus();
  }

  fail(text) {
    this.say(text);
    this.message.className = "problem";
    clearTimeout(this.timer); // an error stands until something else is done
  }

  begin() {
    clearTimeout(this.timer);
    const isLookedAt = this.message.matches(":hover") || this.message.contains(document.activeElement);
    if (!this.words.textContent || this.stands() || isLookedAt) return;
    this.timer = setTimeout(() => this.say(""), this.undo ? UNDO_MS : READ_MS);
  }

  // Undoes what was done last, as long as the message offers it.
  async takeBack() {
    const { undo } = this;
    if (!undo) return;
    const said = this.words.textContent;
    this.undo = null;
    await undo();
    if (this.words.textContent === said && !this.undo) this.say(""); // else there is something new to say
  }
}
