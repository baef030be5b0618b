// The field for a new task, and the row that searches and narrows what is shown.
import { fieldsOf, parse } from "./parse.js";
import { dotOf } from "./rows.js";
import { icon, offer as offerIn, PRIORITIES, textIn, today, zone } from "./words.js";

// The field for a new task. It shows what it has understood as chips; taking one away puts it back into the title.

const TYPED = "task-api-new"; // in sessionStorage, so that a reload keeps it
const KINDS = { day: "date", time: "time", priority: "priority", label: "label", list: "list" };

export const forgetTyped = () => sessionStorage.removeItem(TYPED);

// `on` has place(), what is shown; create(fields), which resolves to whether that worked; and the `lists`.
export function makeAdd(form, on) {
  const { title } = form.elements;
  const chips = form.querySelector(".chips");
  const button = form.querySelector(".main");
  const ignored = new Set(); // what was taken back
  let isBusy = false;

  title.value = new URLSearchParams(location.search).get("add") ?? sessionStorage.getItem(TYPED) ?? "";
  if (location.search) history.replaceState(null, "", location.pathname + location.hash); // a reload brings what is typed
  title.addEventListener("input", show);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  form.addEventListener("keydown", ({ key }) => key === "Escape" && close());
  form.addEventListener("click", ({ target }) => target === form && close()); // beside the sheet, on a phone
  return { show, open, close };

  function open() {
    form.classList.add("open");
    title.focus();
    title.select();
  }

  // What is typed stays.
  function close() {
    form.classList.remove("open");
    title.blur();
  }

  // What is typed, as it is understood at this place: in Today, a new task is due today.
  function understood() {
    const { title: text, found } = parse(title.value, { lists: on.lists.all(), ignored });
    const isDue = found.some(({ kind }) => kind === "day" || kind === "time");
    const implied = on.place() === "today" && !isDue && !ignored.has("today") && text;
    const due = { kind: "day", value: today(), source: "today", words: "Today", isImplied: true };
    return { title: text, found: implied ? [...found, due] : found };
  }

  function show() {
    sessionStorage.setItem(TYPED, title.value);
    if (!title.value) ignored.clear();
    const { found } = understood();
    chips.replaceChildren(...found.map(chipOf));
    form.querySelector(".understood").hidden = !title.value;
  }

  function chipOf({ kind, words, source, color }) {
    const chip = textIn("span", "", "chip");
    if (kind === "list") chip.append(dotOf(color));
    chip.append(words);
    const away = textIn("button", "", "icon");
    away.type = "button";
    away.ariaLabel = `Not a ${KINDS[kind]}: ${words}`;
    away.append(icon("close"));
    away.addEventListener("click", () => {
      ignored.add(source);
      show();
      title.focus();
    });
    chip.append(away);
    return chip;
  }

  async function send() {
    const fields = fieldsOf(understood());
    if (isBusy || !title.value.trim()) return; // Enter was pressed twice
    if (!fields.title) fields.title = title.value.trim(); // “Tomorrow” alone is a title
    isBusy = true;
    button.ariaDisabled = "true"; // not `disabled`, which would lose the focus
    const typed = title.value;
    const isDone = await on.create({ list_id: on.lists.chosen(), ...fields });
    isBusy = false;
    button.ariaDisabled = null;
    if (!isDone || title.value !== typed) return; // what is typed stays
    title.value = "";
    show();
    title.focus();
  }
}

// The row that searches and narrows what is shown. It is folded away until it is wanted.

const PAUSE_MS = 250; // in typing

// `on` has narrowed(), which is told that something else is wanted.
export function makeFilters(form, button, on) {
  const { q, priority, labels, overdue } = form.elements;
  let timer;

  offerIn(priority, { ...PRIORITIES, none: "None" });
  form.addEventListener("submit", (event) => event.preventDefault()); // it has been searched already
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(on.narrowed, PAUSE_MS);
  });
  form.addEventListener("keydown", ({ key }) => key === "Escape" && !isNarrowed() && fold(false));
  form.querySelector(".all").addEventListener("click", () => clear(on.narrowed));
  button.addEventListener("click", () => fold(form.hidden));
  return { wanted, isNarrowed, offer, clear, search, reset, fold };

  function isNarrowed() {
    return Object.keys(wanted()).length > 0;
  }

  // What is asked for, as parameters of a listing.
  function wanted() {
    const chosen = Object.entries({ q: q.value.trim(), priority: priority.value, labels: labels.value });
    return {
      ...Object.fromEntries(chosen.filter(([, value]) => value)),
      ...(overdue.checked && { overdue: true, timezone: zone() }),
    };
  }

  function fold(isOpen) {
    const hadFocus = form.contains(document.activeElement);
    form.hidden = !isOpen;
    button.ariaExpanded = String(isOpen);
    if (isOpen) q.focus();
    else if (hadFocus) button.focus();
  }

  function search() {
    fold(true);
    q.select();
  }

  function offer(names) {
    const offered = new Set([...labels.options].map((option) => option.value));
    for (const name of names) if (!offered.has(name)) labels.append(new Option(name, name));
  }

  function clear(then) {
    clearTimeout(timer);
    form.reset();
    then?.();
  }

  // Another user may sign in.
  function reset() {
    clear();
    labels.length = 1; // "Any"
    fold(false);
  }
}
