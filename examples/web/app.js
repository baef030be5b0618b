// Signs in and out. What a user sees is made by desk.js from a template, and thrown away when the user leaves.
import { taskApi, TaskApiError } from "../task-api.js";
import { forgetTyped } from "./add.js";
import { Desk } from "./desk.js";
import { Door } from "./door.js";
import { forgetUnfolded } from "./nest.js";
import { Notices } from "./notices.js";
import { forgetDrafts } from "./saving.js";
import { beginning } from "./tallies.js";
import { forgetShown, tokenInAddress } from "./views.js";
import { copyOf, explain } from "./words.js";

// In sessionStorage, which belongs to this window and ends with it. A session, which begins with a password, is kept by the
// client for all windows.
const TOKEN = "task-api-token";
const USER = "task-api-user";
const find = (selector) => document.querySelector(selector);
const address = find('meta[name="task-api"]').content || location.origin;
const own = taskApi(address); // has the session, if there is one
const door = new Door(find("#door"), address, own, { enter, failed });
const notices = new Notices(find("#message"), () => find("#add input") ?? door.field());

let stay = new AbortController(); // is aborted when the user signs out

// Without a token, as whoever has the session.
async function enter(token) {
  if (token && !/^[!-~]+$/.test(token)) {
    await leave();
    return notices.fail("This is no token: a token has neither spaces nor letters with accents.");
  }
  forgetUser();
  door.close();
  if (token) sessionStorage.setItem(TOKEN, token);
  const { signal } = stay;
  try {
    const client = token ? taskApi(address, token) : own;
    const user = token ? null : await own.auth.user();
    const [me, begun] = await Promise.all([client.account.get({ signal }), beginning(client, signal)]);
    if (signal.aborted) return;
    if (sessionStorage.getItem(USER) !== me.id) forgetAll(); // what somebody else has typed in this window
    sessionStorage.setItem(USER, me.id);
    const frame = copyOf("frame");
    find("footer").before(frame);
    notices.say("");
    const who = user?.name ?? user?.email ?? me.id;
    await new Desk(frame, { address, token, who, begun, signal, notices, failed, signOut }).start();
  } catch (problem) {
    if (signal.aborted) return; // the user has signed out, or in as somebody else
    failed(problem);
    if (!find("#tasks")) door.open();
  }
}

function forgetUser() {
  stay.abort();
  stay = new AbortController();
  sessionStorage.removeItem(TOKEN);
  find("#tasks")?.remove();
  document.body.className = "";
  document.title = "Tasks";
}

async function leave() {
  forgetUser();
  await door.open();
}

// Nothing of the user stays in the window.
async function signOut() {
  const isSession = !sessionStorage.getItem(TOKEN);
  const left = leave();
  if (isSession) own.auth.logout();
  forgetAll();
  history.replaceState(null, "", location.pathname);
  await left;
  notices.say("You have signed out.");
  door.field().focus();
}

function forgetAll() {
  for (const forget of [forgetShown, forgetUnfolded, forgetDrafts, forgetTyped]) forget();
}

function failed(problem) {
  if (!(problem instanceof TaskApiError)) console.error(problem); // a defect of this page
  // The token has expired, or never was one; or the session has ended.
  if (problem.status === 401 && problem.code !== "SIGN_IN_FAILED") leave();
  notices.fail(explain(problem));
}

// An error stands until something else is done.
function begun({ type, target }) {
  if (notices.stands() && target.closest("#tasks, #door") && (type !== "click" || target.closest("button, a"))) notices.say("");
}
for (const type of ["submit", "change", "click", "dropped"]) document.addEventListener(type, begun, true);

addEventListener("hashchange", () => {
  const token = tokenInAddress();
  if (token) enter(token);
});

const token = tokenInAddress() ?? sessionStorage.getItem(TOKEN);
if (token || (await own.auth.user())) enter(token);
else leave();
