// Reads an iCalendar file with ical.js and prints its tasks as JSON; with `write`, reads such JSON and prints a file.
import { readFileSync } from "node:fs";
import { argv } from "node:process";
import ICAL from "ical.js";

const TEXTS = ["uid", "summary", "description", "status", "priority"];
const TIMES = { due: "due", dtstart: "start" };

function read(text) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  calendar.getAllSubcomponents("vtimezone").forEach((zone) => ICAL.TimezoneService.register(zone));
  return calendar.getAllSubcomponents("vtodo").map((todo) => {
    const task = {};
    for (const name of TEXTS) task[name] = todo.getFirstPropertyValue(name);
    task.categories = todo.getAllProperties("categories").flatMap((property) => property.getValues());
    for (const [name, field] of Object.entries(TIMES)) {
      const time = todo.getFirstPropertyValue(name);
      const is_date = time !== null && time.isDate;
      task[`${field}_date`] = is_date ? time.toString() : null;
      task[`${field}_at`] = time === null || is_date ? null : time.toJSDate().toISOString();
      task[`${field}_zone`] = todo.getFirstProperty(name)?.getFirstParameter("tzid") ?? null;
    }
    return task;
  });
}

function write(tasks) {
  const calendar = new ICAL.Component("vcalendar");
  calendar.addPropertyWithValue("version", "2.0");
  for (const task of tasks) {
    const todo = new ICAL.Component("vtodo");
    for (const name of TEXTS) if (task[name] != null) todo.addPropertyWithValue(name, task[name]);
    if (task.categories?.length) todo.addProperty(new ICAL.Property("categories")).setValues(task.categories);
    for (const [name, field] of Object.entries(TIMES)) {
      const day = task[`${field}_date`];
      const moment = task[`${field}_at`];
      if (day) todo.addPropertyWithValue(name, ICAL.Time.fromDateString(day));
      if (moment) {
        const property = new ICAL.Property(name);
        property.setValue(ICAL.Time.fromDateTimeString(moment));
        if (task[`${field}_zone`]) property.setParameter("tzid", task[`${field}_zone`]);
        todo.addProperty(property);
      }
    }
    calendar.addSubcomponent(todo);
  }
  return calendar.toString();
}

const given = readFileSync(0, "utf-8");
process.stdout.write(argv[2] === "write" ? write(JSON.parse(given)) : JSON.stringify(read(given)));
