// What the page says to people.
export const STATUSES = { todo: "To do", in_progress: "In progress", done: "Done", cancelled: "Cancelled" };
export const FIELDS = {
  title: "Title", description: "Description", status: "Status", due_date: "Due", priority: "Priority", labels: "Labels",
  list_id: "List",
};
const PRIORITIES = { high: "High priority", medium: "Medium priority", low: "Low priority" };

const asDay = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const asTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

// The service says what happened and what to do; whoever asks for help needs the id of the request.
export function explain(error) {
  const details = (error.details ?? []).map(({ field, message }) => `${field}: ${message}`);
  const request = error.requestId ? [`(Request ${error.requestId})`] : [];
  return [error.message, ...details, ...request].join(" ");
}

export function due({ due_date: day, due_at: time }) {
  if (time) return asTime.format(new Date(time));
  return day ? asDay.format(startOf(day)) : "";
}

// A task that is due on a day is overdue when that day has ended where the user is.
export function isOverdue({ status, due_date: day, due_at: time }) {
  if (status === "done" || status === "cancelled" || !(day || time)) return false;
  return (time ? new Date(time) : startOf(day, 1)) <= new Date();
}

// Not new Date(day): that would be midnight in UTC, which is another day in half of the world.
function startOf(day, plusDays = 0) {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date + plusDays);
}

// A field of a task as a person reads it; `lists` knows the names of lists.
export function inWords(name, task, lists) {
  if (name === "due_date") return due(task) || "None";
  if (name === "status") return STATUSES[task.status];
  if (name === "priority") return PRIORITIES[task.priority] ?? "None";
  if (name === "labels") return task.labels.join(", ") || "None";
  if (name === "list_id") return lists.nameOf(task.list_id);
  return task[name] ?? "None";
}

// The small facts below a title.
export function facts(task) {
  const found = [];
  if (task.priority) found.push({ kind: task.priority, text: PRIORITIES[task.priority] });
  if (isOverdue(task)) found.push({ kind: "overdue", text: `Overdue: ${due(task)}` });
  else if (due(task)) found.push({ kind: "due", text: `Due ${due(task)}` });
  return [...found, ...task.labels.map((text) => ({ kind: "label", text }))];
}
