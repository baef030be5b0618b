// The trash: what was deleted, when, and until when it can be brought back.
import { pageOf } from "./arrivals.js";
import { ask } from "./question.js";
import { copyOf, dateInWords, dayInSentence, dayOf, textIn, timeOf } from "./words.js";

const PAGE = 50;
const KEPT_DAYS = 30; // in the trash of the service
const WHATEVER = { ifMatch: "*" }; // it is now: nobody edits what is in the trash
const DAY_MS = 24 * 3600 * 1000;

export class Trash {
  // `on` has restored(task), listRestored(list), said(text), failed(error).
  constructor(place, tasks, on) {
    Object.assign(this, { place, tasks, on, next: null });
    [this.list, this.more, this.empty] = ["ul", ".more", ".empty"].map((each) => place.querySelector(each));
    this.more.addEventListener("click", async () => this.add(await this.next().catch(on.failed)));
  }

  hide() {
    this.place.hidden = true;
    this.list.replaceChildren();
  }

  async show(signal) {
    this.place.hidden = false;
    this.place.ariaBusy = "true";
    try {
      const [lists, found] = await Promise.all([
        this.tasks.lists.list({ deleted: true }, { signal }),
        pageOf(this.tasks, { deleted: true, sort: "-updated_at", limit: PAGE }, { signal }),
      ]);
      this.list.replaceChildren(...lists.map((list) => this.itemOf(list, this.listActs(list))));
      this.add(found);
    } catch (problem) {
      if (!signal.aborted) this.on.failed(problem);
    }
    this.place.ariaBusy = "false";
  }

  add(page) {
    if (!page) return;
    this.next = page.next;
    this.list.append(...page.found.map((task) => this.itemOf(task, this.taskActs(task))));
    this.tell();
  }

  tell() {
    this.more.hidden = !this.next;
    this.empty.hidden = this.list.childElementCount > 0;
  }

  itemOf({ id, deleted_at: time }, { name, kind, restore, destroy }) {
    const item = copyOf("deleted");
    const [restoring, destroying] = [".restore", ".destroy"].map((each) => item.querySelector(each));
    item.dataset.id = id;
    item.querySelector(".name").textContent = name;
    if (kind) item.querySelector(".name").append(" ", textIn("small", kind));
    item.querySelector(".note").textContent = since(new Date(time));
    restoring.ariaLabel = `Bring back ${name}`;
    destroying.ariaLabel = `Delete ${name} for good`;
    restoring.addEventListener("click", () => this.act(item, restore));
    destroying.addEventListener("click", async () => {
      const isSure = await ask(`Delete “${name}” for good?`, "Nobody can bring it back then.", "Delete for good");
      if (isSure) this.act(item, destroy);
    });
    return item;
  }

  async act(item, work) {
    try {
      await work();
    } catch (problem) {
      return this.on.failed(problem);
    }
    const neighbour = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    this.tell();
    (neighbour?.querySelector("button") ?? this.place.querySelector("h2")).focus();
  }

  taskActs({ id, title }) {
    const { tasks } = this;
    return {
      name: title,
      restore: async () => {
        this.on.restored(await tasks.restore(id, WHATEVER));
        this.on.said(`“${title}” is back.`);
      },
      destroy: () => this.destroy(tasks, id, title),
    };
  }

  listActs({ id, name }) {
    const { lists } = this.tasks;
    return {
      name,
      kind: "List",
      restore: async () => {
        this.on.listRestored(await lists.restore(id, WHATEVER));
        this.on.said(`The list “${name}” is back, with its tasks.`);
      },
      destroy: () => this.destroy(lists, id, name),
    };
  }

  async destroy(kind, id, name) {
    await kind.remove(id, { permanent: true, ...WHATEVER });
    this.on.said(`“${name}” is gone for good.`);
  }
}

// When something was deleted, and when it will be gone.
function since(time) {
  const end = dayOf(new Date(time.getTime() + KEPT_DAYS * DAY_MS));
  return `Deleted ${dayInSentence(dayOf(time))} at ${timeOf(time)} · gone for good on ${dateInWords(end)}`;
}
