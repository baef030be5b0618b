// What the page says to people: days and times, the facts of a task, errors, and links.

// Days and times as people say them. A day is a text such as 2026-12-24, and is the same day everywhere.
const asDay = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });
const asLongDay = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric" });
const DAY_MS = 24 * 3600 * 1000;
const twoDigits = (number) => String(number).padStart(2, "0");

// A day ends when it ends for the user.
export const zone = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;

export const dayOf = (time) => `${time.getFullYear()}-${twoDigits(time.getMonth() + 1)}-${twoDigits(time.getDate())}`;
export const timeOf = (time) => `${twoDigits(time.getHours())}:${twoDigits(time.getMinutes())}`;

// Not new Date(day): that would be midnight in UTC, which is another day in half of the world.
export function startOf(day, plusDays = 0) {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date + plusDays);
}

export const today = (plusDays = 0, now = new Date()) => dayOf(startOf(dayOf(now), plusDays));

// The moment of a day and a time where the user is, as the service stores it.
export const moment = (day, time) => new Date(`${day}T${time}`).toISOString().replace(".000", "");

export function dueDay({ due_date: day, due_at: time }) {
  return time ? dayOf(new Date(time)) : day;
}

export const isOpen = ({ status }) => status !== "done" && status !== "cancelled";

// A task that is due on a day is late when that day has ended where the user is.
export function isLate(task, now = new Date()) {
  const { due_date: day, due_at: time } = task;
  if (!isOpen(task) || !(day || time)) return false;
  return (time ? new Date(time) : startOf(day, 1)) <= now;
}

// “Today”, “Tomorrow”, “Sat 28 Nov”; the year only if it is another one.
export function dayInWords(day, now = new Date()) {
  const near = { [today(-1, now)]: "Yesterday", [today(0, now)]: "Today", [today(1, now)]: "Tomorrow" };
  return near[day] ?? dateInWords(day, now);
}

// The same within a sentence: “today”, “on Sat 28 Nov”.
export function dayInSentence(day, now = new Date()) {
  const words = dayInWords(day, now);
  return words.includes(" ") ? `on ${words}` : words.toLowerCase();
}

export function dateInWords(day, now = new Date()) {
  const isThisYear = day.startsWith(`${now.getFullYear()}-`);
  return (isThisYear ? asDay : asLongDay).format(startOf(day)).replace(/,/g, "");
}

// The due of a task in words, or an empty text. Of today, the time alone says enough.
export function dueInWords(task, now = new Date()) {
  const day = dueDay(task);
  if (!day) return "";
  const time = task.due_at ? timeOf(new Date(task.due_at)) : "";
  return day === today(0, now) && time ? time : `${dayInWords(day, now)} ${time}`.trim();
}

// How near the due is: late, now (today), next (tomorrow), or later.
export function nearness(task, now = new Date()) {
  if (!isOpen(task)) return "later";
  if (isLate(task, now)) return "late";
  const day = dueDay(task);
  return day === today(0, now) ? "now" : day === today(1, now) ? "next" : "later";
}

const DATES = ["due_date", "due_at", "start_date", "start_at"];

// The fields as they were. Dates go back together: a due and a start are both days, or both times.
export function backTo(task, fields) {
  const names = Object.keys(fields).filter((name) => name !== "timezone");
  if (!names.some((name) => DATES.includes(name))) return Object.fromEntries(names.map((name) => [name, task[name]]));
  const { due_date, due_at, start_date, start_at, timezone } = task;
  return { due_date, due_at, start_date, start_at, ...(due_at || start_at ? { timezone } : {}) };
}

// What to change so that a task is due on another day; a time of the day stays.
export function onDay({ due_at: time, start_at: startTime, start_date: startDay }, day) {
  const due = time ? { due_at: moment(day, timeOf(new Date(time))), timezone: zone() } : { due_date: day };
  if (startDay && startDay > day) return { ...due, start_date: day };
  if (startTime && due.due_at && startTime > due.due_at) return { ...due, start_at: due.due_at };
  return due;
}

// A listing by due: what has none comes last, and a day counts as its end in UTC.
export function byDue(one, other) {
  const key = ({ due_date: day, due_at: time }) => (time ? Date.parse(time) : day ? Date.parse(day) + DAY_MS : Infinity);
  return key(one) === key(other) ? (one.id < other.id ? -1 : 1) : key(one) - key(other);
}

// What the page says to people.

export const STATUSES = { todo: "To do", in_progress: "In progress", done: "Done", cancelled: "Cancelled" };
export const PRIORITIES = { high: "High", medium: "Medium", low: "Low" };
const NAMES = {
  title: "Title", description: "Notes", status: "Status", due_date: "Due", due_at: "Due", start_date: "Starts",
  start_at: "Starts", priority: "Priority", labels: "Labels", list_id: "List", parent_id: "Subtask of", name: "Name",
  color: "Colour", email: "Email", password: "Password",
};
// The parts of a task that are edited, each of one field or of several that belong together.
export const PARTS = {
  title: { name: "Title", fields: ["title"] },
  description: { name: "Notes", fields: ["description"] },
  dates: { name: "Dates", fields: ["due_date", "due_at", "start_date", "start_at"] },
  status: { name: "Status", fields: ["status"] },
  priority: { name: "Priority", fields: ["priority"] },
  list_id: { name: "List", fields: ["list_id"] },
  labels: { name: "Labels", fields: ["labels"] },
};
const ADDRESS = /https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]]/g;

// A field, or a part of one, such as labels.0.
export const nameOf = (field) => NAMES[field.split(".")[0]] ?? field;

// The service says what happened and what to do; whoever asks for help needs the id of the request. Of invalid fields,
// the details say all of it, each under the name that the form has for the field.
export function explain({ code, message, details = [], requestId }) {
  const others = details.filter((detail) => detail.message !== message);
  const inDetail = others.map((each) => `${nameOf(each.field)}: ${each.message.replace(/[^.?!]$/, "$&.")}`);
  const isAllSaid = code === "VALIDATION_ERROR" && inDetail.length > 0;
  return [...(isAllSaid ? [] : [message]), ...inDetail, ...(requestId ? [`(Request ${requestId})`] : [])].join(" ");
}

// A part of a task as a person reads it; `lists` knows the names of lists.
export function inWords(part, task, lists) {
  if (part === "dates") return datesInWords(task);
  if (part === "status") return STATUSES[task.status];
  if (part === "priority") return PRIORITIES[task.priority] ?? "None";
  if (part === "labels") return task.labels.join(", ") || "None";
  if (part === "list_id") return lists.nameOf(task.list_id);
  return task[part] || "None";
}

function datesInWords(task) {
  const { start_date: day, start_at: time } = task;
  const start = time ? `${dayInWords(dayOf(new Date(time)))} ${timeOf(new Date(time))}` : day ? dayInWords(day) : "";
  const due = task.due_at ? `${dayInWords(dayOf(new Date(task.due_at)))} ${timeOf(new Date(task.due_at))}` : dueInWords(task);
  return [due && `Due ${due}`, start && `Starts ${start}`].filter(Boolean).join(", ") || "None";
}

// The small facts below a title. `isBoard`: the column says the status already.
export function facts(task, { isBoard }) {
  const found = [];
  if (dueInWords(task)) found.push({ kind: nearness(task), text: dueInWords(task) });
  if (task.priority === "high") found.push({ kind: "urgent", text: "High" });
  if (!isBoard && ["in_progress", "cancelled"].includes(task.status)) found.push({ kind: "state", text: STATUSES[task.status] });
  return [...found, ...task.labels.map((text) => ({ kind: "label", text: `@${text}` }))];
}

export const addressesIn = (text) => [...new Set(text?.match(ADDRESS) ?? [])].filter(hostOf);

// Not all that looks like an address is one: “http://[” is not.
export function hostOf(address) {
  try {
    return new URL(address).host;
  } catch {
    return "";
  }
}

// What users wrote is never read as HTML.
export function textIn(name, text, kind = "") {
  const element = document.createElement(name);
  element.className = kind;
  element.textContent = text;
  return element;
}

// The colour of a list. The policy of the page refuses style attributes, but not this.
export function dotOf(color) {
  const dot = textIn("i", "", "dot");
  if (color) dot.style.setProperty("--dot", color);
  return dot;
}

export function linkTo(address, text = address) {
  const link = textIn("a", text, "address");
  return Object.assign(link, { href: address, target: "_blank", rel: "noopener noreferrer" });
}

// A text whose addresses are links.
export function linked(text) {
  const pieces = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    pieces.push(text.slice(end, match.index), hostOf(match[0]) ? linkTo(match[0]) : match[0]);
    end = match.index + match[0].length;
  }
  return [...pieces, text.slice(end)].filter(Boolean);
}

// Returns the first element of a template in the page, with its drawings.
export function copyOf(name) {
  const copy = document.getElementById(name).content.firstElementChild.cloneNode(true);
  for (const element of copy.querySelectorAll("[data-icon]")) element.prepend(icon(element.dataset.icon), " ");
  return copy;
}

export function icon(name) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `icons.svg#i-${name}`);
  drawing.ariaHidden = "true";
  drawing.append(use);
  return drawing;
}

// Adds a choice to a select for each word.
export function offer(select, words) {
  select.append(...Object.entries(words).map(([value, text]) => new Option(text, value)));
}
