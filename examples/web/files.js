// Importing a file: chosen in a menu, or dropped anywhere on the page; and what has become of its tasks, in words. And
// exporting everything, as a file that can be imported again.
import { nameOf, textIn, today } from "./words.js";

const TYPES = { jsonl: "application/jsonl", json: "application/json", csv: "text/csv", ics: "text/calendar" };
const MOST_LINES = 20; // of the report
const SAID = {
  created: ["1 task is new.", "are new."],
  updated: ["1 task is changed.", "are changed."],
  restored: ["1 task is back from the trash.", "are back from the trash."],
  unchanged: ["1 task was here already.", "were here already."],
  skipped: ["1 entry is no task, and was left out.", "entries are no tasks, and were left out."],
  failed: ["1 task could not be read.", "could not be read."],
  mended: ["1 task is not quite as in the file.", "are not quite as in the file."],
};

export class Files {
  // `on` has done(), when tasks may have come, failed(error), and a signal that ends it.
  constructor(input, dialog, tasks, on) {
    Object.assign(this, { input, dialog, tasks, on });
    const { signal } = on;
    input.addEventListener("change", () => this.take(input.files[0]));
    dialog.querySelector("button").addEventListener("click", () => dialog.close());
    for (const type of ["dragover", "dragleave", "drop"]) addEventListener(type, (event) => this.dragged(event), { signal });
  }

  choose() {
    this.input.value = ""; // so that the same file can be chosen again
    this.input.click();
  }

  async save() {
    const link = document.createElement("a");
    try {
      link.href = URL.createObjectURL(await this.tasks.account.export());
    } catch (problem) {
      return this.on.failed(problem);
    }
    link.download = `tasks-${today()}.jsonl`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  dragged(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault(); // else the browser would leave the page, and show the file
    document.body.classList.toggle("dropping", event.type === "dragover");
    if (event.type === "drop") this.take(event.dataTransfer.files[0]);
  }

  async take(file) {
    const type = file && TYPES[file.name.split(".").pop().toLowerCase()];
    if (!file) return;
    if (!type) return this.show("This file cannot be imported", ["Choose a file that ends with .jsonl, .json, .csv or .ics."]);
    this.show(`Importing ${file.name} …`, []);
    try {
      const report = await this.tasks.importFile(file, { type });
      this.show(`${file.name} is imported`, inWords(report), linesOf(report));
    } catch (problem) {
      this.dialog.close();
      this.on.failed(problem);
    }
    this.on.done();
  }

  show(heading, words, lines = []) {
    const { dialog } = this;
    dialog.querySelector("h2").textContent = heading;
    dialog.querySelector(".said").replaceChildren(...words.map((each) => textIn("p", each)));
    dialog.querySelector("ul").replaceChildren(...lines.map((each) => textIn("li", each)));
    if (!dialog.open) dialog.showModal();
  }
}

function inWords(report) {
  const told = Object.keys(SAID).filter((name) => report[name] > 0);
  const words = told.map((name) => sentence(report[name], SAID[name]));
  const stop = report.stopped_at_line;
  if (stop) words.push(`Nothing from line ${stop} on was read. Correct the file, and import it again.`);
  return words.length > 0 ? words : ["There was no task in it."];
}

function sentence(number, [one, many]) {
  if (number === 1) return one;
  return many.startsWith("entries") ? `${number} ${many}` : `${number} tasks ${many}`;
}

// What is wrong with which line, and what was not kept.
function linesOf({ errors, warnings }) {
  const lines = [...errors, ...warnings].map(({ line, field, message }) =>
    `Line ${line}${field ? `, ${nameOf(field)}` : ""}: ${message.replace(/[^.?!]$/, "$&.")}`);
  const left = lines.length - MOST_LINES;
  return left > 0 ? [...lines.slice(0, MOST_LINES), `And ${left} more.`] : lines;
}
