// Signs in, and connects the forms of the page with the board.
import { TaskApiError, taskApi } from "../task-api.js";
import { makeBoard } from "./board.js";
import { fieldsOf } from "./card.js";
import { forgetChosen, makeLists } from "./lists.js";
import { forgetUnfolded } from "./nest.js";
import { explain } from "./words.js";

const TOKEN = "task-api-token"; // in sessionStorage, which belongs to this window and ends with it
const find = (selector) => document.querySelector(selector);
const address = find('meta[name="task-api"]').content || location.origin;
const [signIn, add, filter, message] = ["#sign-in", "#add", "#filter", "#message"].map(find);

let tasks; // the client of the user who has signed in
let board;
let lists; // at the side
let before = null; // where the focus was before it came to the message
let stay = new AbortController(); // is aborted when the user signs out

// A start in development prints a link with a token. In an app of yours, your sign-in gives the token instead.
function tokenInAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) history.replaceState(null, "", location.pathname + location.search); // nobody copies it with the address
  return token;
}

async function enter(token) {
  leave();
  const { signal } = stay;
  signIn.hidden = true; // it would only flash while the service answers
  sessionStorage.setItem(TOKEN, token);
  tasks = taskApi(address, token);
  try {
    const me = await tasks.request("/api/me", { signal });
    find("#who").textContent = me.id;
    present(true);
    say("");
    const moved = (id, fields) => board.move(id, fields);
    lists = makeLists(find("#lists"), tasks, { chosen: search, renamed: () => board.redraw(), moved, said: say, failed });
    fold();
    board = makeBoard(find("#board"), tasks, { said: say, failed, labels: offerLabels, lists });
    offerLabels((await tasks.request("/api/labels", { signal })).map((label) => label.name));
    await board.follow(signal);
  } catch (problem) {
    if (signal.aborted) return; // the user has signed out, or in as somebody else
    failed(problem);
    signIn.hidden = !find("#tasks").hidden;
  }
}

function leave() {
  stay.abort();
  stay = new AbortController();
  sessionStorage.removeItem(TOKEN);
  find("#who").textContent = "";
  find("#board").replaceChildren();
  find("#lists").replaceChildren();
  [signIn, add, filter].forEach((form) => form.reset());
  filter.elements.labels.length = 1; // "Any"; the others were of the user who leaves
  present(false);
}

function present(isSignedIn) {
  find("#tasks").hidden = find("#sign-out").hidden = !isSignedIn;
  signIn.hidden = isSignedIn;
}

function say(text, undo) {
  const hadFocus = message.contains(document.activeElement); // on a button that may be hidden now
  message.className = "";
  message.querySelector("[role=status]").textContent = text;
  message.querySelector(".close").hidden = !text;
  const button = message.querySelector(".undo");
  button.hidden = !undo;
  button.onclick = undo && (() => undo().catch(failed));
  if (undo) button.focus();
  else if (hadFocus) (before?.isConnected ? before : add.elements.title).focus();
}
message.addEventListener("focusin", ({ relatedTarget }) => {
  if (!message.contains(relatedTarget)) before = relatedTarget;
});

function failed(problem) {
  if (!(problem instanceof TaskApiError)) console.error(problem); // a defect of this page
  if (problem.status === 401) leave(); // the token has expired, or never was one
  say(explain(problem));
  message.className = "problem";
}

// An error stands until something else is done.
function begun({ type, target }) {
  if (message.className === "problem" && (type !== "click" || target.closest("button"))) say("");
}
for (const type of ["submit", "change", "click", "dropped"]) find("#tasks").addEventListener(type, begun, true);

function offerLabels(names) {
  const { labels } = filter.elements;
  const offered = new Set([...labels.options].map((option) => option.value));
  for (const name of names) if (!offered.has(name)) labels.append(new Option(name, name));
}

signIn.addEventListener("submit", (event) => {
  event.preventDefault();
  enter(signIn.elements.token.value.trim());
});
find("#sign-out").addEventListener("click", () => {
  leave();
  forgetChosen();
  forgetUnfolded();
  say("You have signed out.");
  signIn.elements.token.focus();
});
message.querySelector(".close").addEventListener("click", () => say(""));

add.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = add.querySelector("button");
  if (button.ariaDisabled === "true") return; // Enter was pressed twice
  button.ariaDisabled = "true"; // not `disabled`, which would lose the focus
  try {
    const task = await tasks.create({ ...fieldsOf(add), list_id: lists.chosen() });
    add.reset();
    add.elements.title.focus();
    await board.changed(task);
    const isShown = find(`[data-id="${task.id}"]`);
    say(isShown ? `“${task.title}” is added.` : `“${task.title}” is added, but the filter hides it.`);
  } catch (problem) {
    failed(problem);
  } finally {
    button.ariaDisabled = null;
  }
});

// On a phone, the filters and the forms for lists are folded away.
const phone = matchMedia("(max-width: 40rem)");
const fold = () => document.querySelectorAll("#tasks details").forEach((each) => { each.open = !phone.matches; });
phone.addEventListener("change", fold);
fold();

let typing;
filter.addEventListener("submit", (event) => event.preventDefault()); // it has been searched already
filter.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(search, 250); // a pause in typing
});
filter.querySelector(".all").addEventListener("click", () => {
  filter.reset();
  search();
});

async function search() {
  const { q, priority, labels, overdue } = filter.elements;
  const wanted = Object.entries({ q: q.value.trim(), priority: priority.value, labels: labels.value });
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions(); // a day ends when it ends for the user
  await board.load({
    ...lists.filter(),
    ...Object.fromEntries(wanted.filter(([, value]) => value)),
    ...(overdue.checked && { overdue: true, timezone: timeZone }),
  });
}

addEventListener("hashchange", () => {
  const token = tokenInAddress();
  if (token) enter(token);
});

const token = tokenInAddress() ?? sessionStorage.getItem(TOKEN);
if (token) enter(token);
else present(false);
