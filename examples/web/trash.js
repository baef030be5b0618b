// The trash: what was deleted, when, and until when it can be brought back.
import { ask } from "./question.js";
import { copyOf, dateInWords, dayInSentence, dayOf, textIn, timeOf } from "./words.js";

const PAGE = 50;
const KEPT_DAYS = 30; // in the trash of the service
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
        this.tasks.request("/api/lists?deleted=true", { signal }),
        this.tasks.list({ deleted: true, sort: "-updated_at", limit: PAGE }, { signal }),
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
    this.list.append(...page.map((task) => this.itemOf(task, this.taskActs(task))));
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
    const path = `/api/tasks/${id}`;
    return {
      name: title,
      restore: async () => {
        this.on.restored(await this.tasks.request(`${path}/restore`, { method: "POST", ifMatch: "*" }));
        this.on.said(`“${title}” is back.`);
      },
      destroy: () => this.destroy(path, title),
    };
  }

  listActs({ id, name }) {
    const path = `/api/lists/${id}`;
    return {
      name,
      kind: "List",
      restore: async () => {
        this.on.listRestored(await this.tasks.request(`${path}/restore`, { method: "POST", ifMatch: "*" }));
        this.on.said(`The list “${name}” is back, with its tasks.`);
      },
      destroy: () => this.destroy(path, name),
    };
  }

  async destroy(path, name) {
    await this.tasks.request(`${path}?permanent=true`, { method: "DELETE", ifMatch: "*" });
    this.on.said(`“${name}” is gone for good.`);
  }
}

// When something was deleted, and when it will be gone.
function since(time) {
  const end = dayOf(new Date(time.getTime() + KEPT_DAYS * DAY_MS));
  return `Deleted ${dayInSentence(dayOf(time))} at ${timeOf(time)} · gone for good on ${dateInWords(end)}`;
}
