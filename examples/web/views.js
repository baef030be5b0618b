// The places of the page: their addresses, and what each of them shows.
import { inOrder, isNewer } from "./order.js";
import { byDue, dayInWords, dayOf, dueDay, isOpen, onDay, STATUSES, today, zone } from "./words.js";

// The address of the page says what it shows: #today, #upcoming, #inbox, #all, #trash or #list/ID, each also with /board
// or /list at its end, #task/ID for the panel of a task, and #lists for the side bar on a phone. What was shown last is kept
// for a reload.
const SHOWN = "task-api-shown"; // in sessionStorage, which ends with the window
const LOOK = "task-api-look"; // in localStorage: whether people like lists or boards
const PLACES = ["today", "upcoming", "inbox", "all", "trash"];
const LOOKS = ["list", "board"];
export const SHEET = "#lists"; // the side bar on a phone

export const addressOf = (place) => `#${place}`;
export const listAddress = (id) => `#list/${id}`;
export const taskAddress = (id) => `#task/${id}`;
export const kept = () => sessionStorage.getItem(SHOWN);
export const keep = (place) => sessionStorage.setItem(SHOWN, place);
export const forgetShown = () => sessionStorage.removeItem(SHOWN);
export const look = () => localStorage.getItem(LOOK) ?? "list";

// Reads the address: which place, which look, which task. Unknown parts are left out.
export function read(hash = location.hash) {
  const parts = hash.slice(1).split("/");
  if (parts[0] === "task") return { task: parts[1] };
  if (hash === SHEET) return { isSheet: true };
  const place = parts[0] === "list" && parts[1] ? `list/${parts[1]}` : PLACES.find((each) => each === parts[0]);
  const wanted = LOOKS.find((each) => place && each === parts[place.split("/").length]);
  if (wanted) localStorage.setItem(LOOK, wanted);
  return { place };
}

// A start prints a link with a token. In an app of yours, your sign-in gives the token instead.
export function tokenInAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) history.replaceState(null, "", location.pathname + location.search); // nobody copies it with the address
  return token;
}

// What is chosen in the sheet takes its place: Back then leads to where one was before.
export function goTo(hash) {
  if (read().isSheet) location.replace(hash);
  else location.hash = hash;
}

// What each place shows: which sections, which listings fill them, and in which section a task stands.

const PAGE = 25; // tasks that are fetched at once
export const OPEN = "todo,in_progress";
const CLOSED = ["done", "cancelled"];
const isArrangedBefore = (one, other) => inOrder(one, other) < 0;
const isDueBefore = (one, other) => byDue(one, other) < 0;
const reopened = (task) => !isOpen(task) && { status: "todo" };
const newestDone = (one, other) => (one.completed_at ?? one.updated_at) > (other.completed_at ?? other.updated_at);

// A place is "today", "upcoming", "inbox", "all" or "list/ID". `narrowed` is what the user searches for, as parameters of a
// listing; `unfolded` are the sections that are opened.
//   filters: what all tasks of the place have in common, as parameters that the service understands
//   listings: key of the section that a listing fills (null: several), and its parameters
//   keyOf(task, now): the section of a task, where `now` is the one that it stands in; null: none
//   taken(key, task): what changes when a task is dropped into a section
export function viewOf(place, look, narrowed = {}, unfolded = new Set()) {
  const filters = { ...filterOf(place), ...narrowed };
  const make = look === "board" ? boardOf : place === "today" ? todayOf : place === "upcoming" ? upcomingOf : listOf;
  const isArranged = place === "inbox" || place.startsWith("list/");
  const isNarrowed = Object.keys(narrowed).length > 0;
  const view = { place, look, filters, isArranged, isNarrowed, isFlat: false, ...make(place, isArranged, unfolded, isNarrowed) };
  return { ...view, holds: (task) => holds(place, task, look) };
}

// The parameters of a listing of a place. People arrange the tasks of a list, and of the inbox.
function filterOf(place) {
  if (place === "inbox") return { list_id: "inbox" };
  return place.startsWith("list/") ? { list_id: place.slice(5) } : {};
}

// Whether a task belongs to the place, as far as the page can tell alone.
function holds(place, task, look) {
  if (place === "inbox") return task.list_id === null;
  if (place.startsWith("list/")) return task.list_id === place.slice(5);
  if (look === "list" || place === "all") return true; // the sections tell
  const day = dueDay(task);
  if (place === "today") return (isOpen(task) && day !== null && day <= today()) || isDoneToday(task);
  return day !== null && day > today();
}

const isDoneToday = ({ completed_at: time }) => time !== null && dayOf(new Date(time)) === today();
const startOfToday = () => new Date(new Date().setHours(0, 0, 0, 0)).toISOString();
const listing = (key, query) => ({ key, query: { limit: PAGE, ...query } });

function boardOf(place, isArranged) {
  const sort = isArranged ? { sort: "position" } : place === "all" ? {} : { sort: "due" };
  const days = { today: { due_before: today(1), timezone: zone() }, upcoming: { due_after: today(), timezone: zone() } }[place];
  const filterFor = (status) => (place === "today" && status === "done" ? { updated_after: startOfToday() } : days);
  const isBefore = isArranged ? isArrangedBefore : place === "all" ? isNewer : isDueBefore;
  return {
    sections: Object.entries(STATUSES).map(([key, name]) => ({ key, name, isAlways: true })),
    listings: Object.keys(STATUSES).map((status) => listing(status, { ...filterFor(status), ...sort, status })),
    keyOf: (task) => task.status,
    taken: (key) => ({ status: key }),
    isBefore: () => isBefore,
  };
}

// Open tasks, and folded away below them those that are done or cancelled. What is done just now stays where it is.
function listOf(_place, isArranged, unfolded, isNarrowed) {
  const sort = isArranged ? { sort: "position" } : {};
  const isShown = (key) => unfolded.has(key) || isNarrowed;
  const isBefore = isArranged ? isArrangedBefore : isNewer;
  const closed = CLOSED.map((key) => ({ key, name: STATUSES[key], isFolded: !isShown(key), mayFold: true, isAlways: true }));
  const order = { done: { sort: "-completed_at" }, cancelled: { sort: "-updated_at" } };
  return {
    sections: [{ key: "open", name: "Open tasks", isAlways: true, isQuiet: true }, ...closed],
    listings: [
      listing("open", { ...sort, status: OPEN }),
      ...CLOSED.filter(isShown).map((key) => listing(key, { ...order[key], status: key })),
    ],
    keyOf: (task, now) => (isOpen(task) || now === "open" ? "open" : isShown(task.status) ? task.status : null),
    taken: (key, task) => (key !== "open" ? { status: key } : isOpen(task) ? {} : { status: "todo" }),
    isBefore: (key) => (key === "open" ? isBefore : newestDone),
  };
}

function todayOf() {
  const timezone = zone();
  const keyOfOpen = (day) => (!day || day > today() ? null : day < today() ? "late" : "today");
  return {
    isFlat: true,
    sections: [
      { key: "late", name: "Late", canGoToToday: true }, { key: "today", name: "Today" }, { key: "done", name: "Done today" },
    ],
    listings: [
      listing("late", { status: OPEN, due_before: today(), timezone, sort: "due" }),
      listing("today", { status: OPEN, due_before: today(1), due_after: today(-1), timezone, sort: "due" }),
      listing("done", { status: "done", updated_after: startOfToday(), sort: "-completed_at" }),
    ],
    keyOf: (task, now) => {
      if (isOpen(task)) return keyOfOpen(dueDay(task));
      return now === "late" || now === "today" ? now : isDoneToday(task) ? "done" : null;
    },
    taken: (key, task) => (key === "done" ? { status: "done" } : { ...onDay(task, today()), ...reopened(task) }),
    isBefore: (key) => (key === "done" ? newestDone : isDueBefore),
  };
}

function upcomingOf() {
  return {
    isFlat: true,
    sections: [], // each day makes one
    sectionFor: (key) => ({ key, name: dayInWords(key) }),
    listings: [listing(null, { status: OPEN, due_after: today(), timezone: zone(), sort: "due", limit: 2 * PAGE })],
    keyOf: (task, now) => {
      const day = dueDay(task);
      return isOpen(task) ? (day && day > today() ? day : null) : now ?? null;
    },
    taken: (key, task) => onDay(task, key),
    isBefore: () => isDueBefore,
  };
}
