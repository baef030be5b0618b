// The fields of the panel, and what they hold as fields of a task.
import { dayOf, moment, timeOf, zone } from "./words.js";

const split = (day, time) => (time ? [dayOf(new Date(time)), timeOf(new Date(time))] : [day ?? "", ""]);

// Which part of a task each field belongs to.
export const partOfField = (name) => ({ due: "dates", due_time: "dates", start: "dates", start_time: "dates" })[name] ?? name;

// Shows one part of a task. `typed` may hold some of its fields only.
export function showPart({ elements }, part, task) {
  if (part === "dates") {
    [elements.due.value, elements.due_time.value] = split(task.due_date, task.due_at);
    [elements.start.value, elements.start_time.value] = split(task.start_date, task.start_at);
  } else if (part === "labels") elements.labels.value = task.labels.join(", ");
  else if (elements[part].value !== (task[part] ?? "")) elements[part].value = task[part] ?? "";
}

// What a part holds now, as fields of a task.
export function readPart({ elements }, part) {
  if (part === "dates") return readDates(elements);
  if (part === "labels") return { labels: elements.labels.value.split(",").map((label) => label.trim()).filter(Boolean) };
  if (part === "title" || part === "status") return { [part]: elements[part].value };
  return { [part]: elements[part].value || null };
}

// A due and a start are both days, or both times: a time beside one of them makes both times.
function readDates({ due, due_time: dueTime, start, start_time: startTime }) {
  if (!due.value && !start.value) return { due_date: null, due_at: null, start_date: null, start_at: null };
  const hasTime = Boolean((due.value && dueTime.value) || (start.value && startTime.value));
  const dueFields = one("due", due.value, hasTime && (dueTime.value || "23:59"));
  const startFields = one("start", start.value, hasTime && (startTime.value || "00:00"));
  return { ...dueFields, ...startFields, ...(hasTime && { timezone: zone() }) };
}

function one(name, day, time) {
  if (!day) return { [`${name}_date`]: null, [`${name}_at`]: null };
  return time ? { [`${name}_date`]: null, [`${name}_at`]: moment(day, time) } : { [`${name}_date`]: day, [`${name}_at`]: null };
}
