// What the page says to people.
export const STATUSES = { todo: "To do", in_progress: "In progress", done: "Done", cancelled: "Cancelled" };
export const FIELDS = {
  title: "Title", description: "Description", status: "Status", due_date: "Due", priority: "Priority", labels: "Labels",
  list_id: "List",
};
const PRIORITIES = { high: "High priority", medium: "Medium priority", low: "Low priority" };

const asDay = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const asTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

// The service says what happened and what to do; whoever asks for help needs the id of the request. Of invalid fields,
// the details say all of it, each under the name that the form has for the field.
export function explain({ code, message, details = [], requestId }) {
  const names = { ...FIELDS, parent_id: "Subtask of", name: "Name" }; // of a task, and of a list
  const others = details.filter((detail) => detail.message !== message);
  const inDetail = others.map((each) => `${names[each.field] ?? each.field}: ${each.message.replace(/[^.?!]$/, "$&.")}`);
  const isAllSaid = code === "VALIDATION_ERROR" && inDetail.length > 0;
  return [...(isAllSaid ? [] : [message]), ...inDetail, ...(requestId ? [`(Request ${requestId})`] : [])].join(" ");
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
