// A question before something that cannot be undone.

const dialog = document.querySelector("#question");

// Resolves to whether the answer was yes. Escape is no.
export function ask(question, consequence, yes) {
  const [heading, text, confirm] = ["h2", "p", ".danger"].map((each) => dialog.querySelector(each));
  heading.textContent = question;
  text.textContent = consequence;
  confirm.textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true });
  });
}
