// Signs in and out. What a user sees is made by desk.js from a template, and thrown away when the user leaves.
import { taskApi, TaskApiError } from "../task-api.js";
import { forgetTyped } from "./add.js";
import { Desk } from "./desk.js";
import { forgetUnfolded } from "./nest.js";
import { Notices } from "./notices.js";
import { forgetDrafts } from "./saving.js";
import { beginning } from "./tallies.js";
import { forgetShown, tokenInAddress } from "./views.js";
import { copyOf, explain } from "./words.js";

// In sessionStorage, which belongs to this window and ends with it.
const TOKEN = "task-api-token";
const USER = "task-api-user";
const find = (selector) => document.querySelector(selector);
const address = find('meta[name="task-api"]').content || location.origin;
const [door, signIn] = ["#door", "#sign-in"].map(find);
const notices = new Notices(find("#message"), () => find("#add input") ?? signIn.elements.token);

let stay = new AbortController(); // is aborted when the user signs out

async function enter(token) {
  leave();
  if (!/^[!-~]+$/.test(token)) return notices.fail("This is no token: a token has neither spaces nor letters with accents.");
  door.hidden = true; // it would only flash while the service answers
  sessionStorage.setItem(TOKEN, token);
  const { signal } = stay;
  try {
    const client = taskApi(address, token);
    const [me, begun] = await Promise.all([client.account.get({ signal }), beginning(client, signal)]);
    if (signal.aborted) return;
    if (sessionStorage.getItem(USER) !== me.id) forgetAll(); // what somebody else has typed in this window
    sessionStorage.setItem(USER, me.id);
    const frame = copyOf("frame");
    find("footer").before(frame);
    notices.say("");
    await new Desk(frame, { address, token, me, begun, signal, notices, failed, signOut }).start();
  } catch (problem) {
    if (signal.aborted) return; // the user has signed out, or in as somebody else
    failed(problem);
    door.hidden = Boolean(find("#tasks"));
  }
}

function leave() {
  stay.abort();
  stay = new AbortController();
  sessionStorage.removeItem(TOKEN);
  find("#tasks")?.remove();
  document.body.className = "";
  document.title = "Tasks";
  signIn.reset();
  door.hidden = false;
}

// Nothing of the user stays in the window.
function signOut() {
  leave();
  forgetAll();
  history.replaceState(null, "", location.pathname);
  notices.say("You have signed out.");
  signIn.elements.token.focus();
}

function forgetAll() {
  for (const forget of [forgetShown, forgetUnfolded, forgetDrafts, forgetTyped]) forget();
}

function failed(problem) {
  if (!(problem instanceof TaskApiError)) console.error(problem); // a defect of this page
  if (problem.status === 401) leave(); // the token has expired, or never was one
  notices.fail(explain(problem));
}

// An error stands until something else is done.
function begun({ type, target }) {
  if (notices.stands() && target.closest("#tasks") && (type !== "click" || target.closest("button, a"))) notices.say("");
}
for (const type of ["submit", "change", "click", "dropped"]) document.addEventListener(type, begun, true);

signIn.addEventListener("submit", (event) => {
  event.preventDefault();
  enter(signIn.elements.token.value.trim());
});
addEventListener("hashchange", () => {
  const token = tokenInAddress();
  if (token) enter(token);
});

const token = tokenInAddress() ?? sessionStorage.getItem(TOKEN);
if (token) enter(token);
else leave();
