// Understands what is typed into the field for a new task: “Call the dentist tomorrow 9am p1 @phone #Home”.
// It is pure: it knows only the text, the lists, what was taken back, and the time.
import { dayInWords, dayOf, moment, startOf, timeOf, today, zone } from "./words.js";

const PRIORITIES = { 1: "high", 2: "medium", 3: "low" };
const PRIORITY_WORDS = { high: "High", medium: "Medium", low: "Low" };
const DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const A_DAY = "(?:mon|tue(?:s)?|wed(?:nes)?|thu(?:rs)?|fri)(?:day)?|saturday|sunday";
const A_TIME = "(?:\\d{1,2}:\\d{2}(?: ?[ap]m)?|\\d{1,2} ?[ap]m|noon)";
// “Sat” and “sun” are words, too: they are days after “on” or “next”, and beside a time.
const A_WORD = `(?:on|next|this) (sat|sun)|(sat|sun)(?=,? (?:at )?${A_TIME}(?:$|[\\s,;]))|(?<=(?:^|\\s)${A_TIME} )(sat|sun)`;
const A_MONTH = `(?:${MONTHS.join("|")})[a-z]*\\.?`;
const WORD = (pattern) => new RegExp(`(?<=^|\\s)(?:${pattern})(?=$|[\\s,;])`, "giu");

const A_YEAR = "(?:,? (\\d{4}))?";
const A_NUMBER = "(\\d{1,2})(?:st|nd|rd|th)?";

// How each kind of day is written, and which day it is. `now` is a time.
const DATES = [
  ["today|tod", (_, now) => today(0, now)],
  ["tomorrow|tmr|tmrw", (_, now) => today(1, now)],
  ["in (\\d{1,3}) days?", ([, number], now) => today(Number(number), now)],
  ["in (\\d{1,2}) weeks?", ([, number], now) => today(7 * Number(number), now)],
  ["next week", (_, now) => weekday("monday", now)],
  [`(?:on |next )?(${A_DAY})`, ([, name], now) => weekday(name, now)],
  [A_WORD, (match, now) => weekday(match.slice(1).find(Boolean), now)],
  ["(\\d{4})-(\\d{2})-(\\d{2})", ([, year, month, day]) => existing(year, month, day)],
  [`(?:on )?${A_NUMBER} (${A_MONTH})${A_YEAR}`, ([, day, month, year], now) => dated(day, month, year, now)],
  [`(?:on )?(${A_MONTH}) ${A_NUMBER}${A_YEAR}`, ([, month, day, year], now) => dated(day, month, year, now)],
].map(([pattern, read]) => [WORD(pattern), read]);

const TIMES = [
  ["(?:at )?(\\d{1,2})(?::(\\d{2}))? ?(am|pm)", ([, hours, minutes, half]) => clock(hours, minutes, half)],
  ["(?:at )?(\\d{1,2}):(\\d{2})", ([, hours, minutes]) => clock(hours, minutes)],
  ["(?:at )?noon", () => "12:00"],
].map(([pattern, read]) => [WORD(pattern), read]);

// The next day of this name; today is not meant.
function weekday(name, now) {
  const wanted = DAYS.findIndex((day) => day.startsWith(name.slice(0, 3).toLowerCase()));
  return today((wanted - now.getDay() + 6) % 7 + 1, now);
}

function existing(year, month, day) {
  const text = `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
  return dayOf(startOf(text)) === text ? text : null; // there is no 31 November
}

function dated(day, month, year, now) {
  const number = MONTHS.indexOf(month.slice(0, 3).toLowerCase()) + 1;
  const thisYear = existing(year ?? now.getFullYear(), number, day);
  return thisYear && !year && thisYear < today(0, now) ? existing(now.getFullYear() + 1, number, day) : thisYear;
}

function clock(hours, minutes = "00", half = "") {
  const number = Number(hours);
  if (half && (number < 1 || number > 12)) return null;
  const hour = half ? (number % 12) + (half.toLowerCase() === "pm" ? 12 : 0) : number;
  return hour < 24 && Number(minutes) < 60 ? `${String(hour).padStart(2, "0")}:${minutes}` : null;
}

// Finds the first place in the text where one of the patterns stands, is not taken, and means something.
function firstOf(kind, patterns, text, isFree, now) {
  for (const [pattern, read] of patterns) {
    for (const match of text.matchAll(pattern)) {
      const value = read(match, now);
      if (value && isFree(match)) return { kind, value, from: match.index, source: match[0] };
    }
  }
  return null;
}

function listIn(text, lists, isFree) {
  const byLength = [...lists].sort((one, other) => other.name.length - one.name.length);
  for (const match of text.matchAll(/(?<=^|\s)#/gu)) {
    const rest = text.slice(match.index + 1).toLowerCase();
    const list = byLength.find(({ name }) => rest.startsWith(name.toLowerCase()) && /^($|[\s,;])/.test(rest.slice(name.length)));
    if (!list) continue;
    const found = { kind: "list", value: list.id, from: match.index, source: text.substr(match.index, list.name.length + 1) };
    if (isFree({ index: found.from, 0: found.source })) return { ...found, words: list.name, color: list.color };
  }
  return null;
}

// The name of a list that does not exist.
function unknownIn(text, isFree) {
  const found = [...text.matchAll(/(?<=^|\s)#(\p{L}[\p{L}\p{N}_-]{0,59})(?=$|[\s,;])/gu)].find(isFree);
  return found && { name: found[1], source: found[0] };
}

// Returns the title that is left, and what was found: for each its kind, value, source in the text, and words for a chip;
// and, if no list is named, the name and the source of an `unknown` one.
// `ignored` holds the sources that the user has taken back.
export function parse(text, { lists = [], ignored = new Set(), now = new Date() } = {}) {
  const found = [];
  const overlaps = (from, to) => found.some((each) => from < each.from + each.source.length && each.from < to);
  const isFree = ({ index, 0: source }) => !ignored.has(source) && !overlaps(index, index + source.length);
  const note = (each) => each && found.push(each);
  note(listIn(text, lists, isFree));
  for (const match of text.matchAll(/(?<=^|\s)@([\p{L}\p{N}_-]{1,60})(?=$|[\s,;])/gu)) {
    if (isFree(match)) found.push({ kind: "label", value: match[1], from: match.index, source: match[0], words: match[0] });
  }
  const [priority] = [...text.matchAll(WORD("p([123])"))].filter(isFree);
  if (priority) {
    const value = PRIORITIES[priority[1]];
    found.push({ kind: "priority", value, from: priority.index, source: priority[0], words: PRIORITY_WORDS[value] });
  }
  note(firstOf("day", DATES, text, isFree, now));
  note(firstOf("time", TIMES, text, isFree, now));
  nameDue(found, now);
  const unknown = found.some(({ kind }) => kind === "list") ? undefined : unknownIn(text, isFree);
  return { title: without(text, found), found: found.sort((one, other) => one.from - other.from), unknown };
}

// A time alone is meant for today, or for tomorrow if it has passed.
function nameDue(found, now) {
  const day = found.find(({ kind }) => kind === "day");
  const time = found.find(({ kind }) => kind === "time");
  if (day) day.words = dayInWords(day.value, now);
  if (time) time.words = day ? time.value : `${time.value <= timeOf(now) ? "Tomorrow" : "Today"} ${time.value}`;
}

function without(text, found) {
  const pieces = [...found].sort((one, other) => other.from - one.from);
  const rest = pieces.reduce((left, { from, source }) => left.slice(0, from) + left.slice(from + source.length), text);
  const title = rest.replace(/\s+/g, " ").replace(/ ([,;])/g, "$1").trim();
  return found.length > 0 ? title.replace(/[,;]+$/, "") : title; // “Buy milk, tomorrow”
}

// What was understood, as fields of a task.
export function fieldsOf({ title, found }, now = new Date()) {
  const value = (kind) => found.find((each) => each.kind === kind)?.value;
  const labels = [...new Set(found.filter(({ kind }) => kind === "label").map((each) => each.value))];
  const time = value("time");
  const day = value("day") ?? (time && today(time <= timeOf(now) ? 1 : 0, now));
  return {
    title,
    ...(value("priority") && { priority: value("priority") }),
    ...(labels.length > 0 && { labels }),
    ...(value("list") && { list_id: value("list") }),
    ...(day && (time ? { due_at: moment(day, time), timezone: zone() } : { due_date: day })),
  };
}
