// The lists of the user: what is known of each, and what can be done with it. The side bar shows them.
import { inOrder, Moves } from "./order.js";

const WHATEVER = { ifMatch: "*" }; // it is now: whoever chose last is right

export class Lists {
  // `on` has what the lists tell: drawn(), when something of them looks different; gone(list); moved(taskId, fields), which
  // resolves to the task; said(text, how), failed(error); and place(), what is shown.
  constructor(tasks, on) {
    Object.assign(this, { tasks, on });
    this.known = new Map(); // all lists outside the trash, by id
    this.gone = new Set(); // ids: a listing from before may still have them
    this.shared = null; // the ids of lists for which there are tokens, once it is known
    this.moves = new Moves((id) => this.get(id), on.drawn);
  }

  // The archived ones are folded away at the side, but tasks may be in them.
  learn(lists) {
    const isNew = ({ id, revision }) => !this.gone.has(id) && !(this.known.get(id)?.revision >= revision);
    const found = lists.filter(isNew);
    for (const list of found) this.known.set(list.id, list);
    if (found.length > 0) this.on.drawn();
    if (this.known.size > 0) this.learnShared();
  }

  async learnShared() {
    if (this.shared) return;
    this.shared = new Set();
    const tokens = await this.tasks.tokens.list().catch(() => []); // only a sign-in may see them
    for (const { list_id: id } of tokens) if (id) this.shared.add(id);
    if (this.shared.size > 0) this.on.drawn();
  }

  isShared(id) {
    return Boolean(this.shared?.has(id));
  }

  // A list has been made, changed or deleted, here or elsewhere.
  arrive(list) {
    const before = this.known.get(list.id);
    if (before?.revision > list.revision) return; // this is older than what is shown
    this.gone[list.deleted_at ? "add" : "delete"](list.id);
    if (list.deleted_at) this.known.delete(list.id);
    else this.known.set(list.id, list);
    if (list.deleted_at) this.on.gone(list);
    this.on.drawn();
  }

  get(id) {
    return this.moves.onto(this.known.get(id));
  }

  // In their order; with `archived`, those that are archived.
  all({ archived = false } = {}) {
    return [...this.known.keys()].map((id) => this.get(id)).filter((list) => list.archived === archived).sort(inOrder);
  }

  hasArchived() {
    return [...this.known.values()].some((list) => list.archived);
  }

  // The id of the list that is shown, or null: then new tasks come into the inbox.
  chosen() {
    const [kind, id] = this.on.place().split("/");
    return kind === "list" && this.known.has(id) ? id : null;
  }

  nameOf(id) {
    return id === null ? "Inbox" : this.known.get(id)?.name ?? "A list";
  }

  // Which list a task is in stands on its row where tasks of several lists are shown.
  facts({ list_id: id }) {
    const place = this.on.place();
    const isOne = place === "inbox" || place.startsWith("list/");
    return isOne || id === null ? [] : [{ kind: "in", text: this.nameOf(id), color: this.known.get(id)?.color ?? null }];
  }

  options() {
    const marked = ({ name, archived }) => (archived ? `${name} (archived)` : name);
    const each = [...this.all(), ...this.all({ archived: true })];
    return [new Option("Inbox", ""), ...each.map((list) => new Option(marked(list), list.id))];
  }

  move(id, beside) {
    const work = async () => this.arrive(await this.tasks.lists.move(id, beside, WHATEVER));
    return this.moves.run(id, {}, beside, work).catch(this.on.failed);
  }

  // Puts a task into a list.
  async take(taskId, id) {
    const before = this.on.taskOf(taskId);
    const task = await this.on.moved(taskId, { list_id: id });
    if (!task || !before || before.list_id === id) return;
    const undo = () => this.on.moved(taskId, { list_id: before.list_id, parent_id: before.parent_id });
    this.on.said(`“${task.title}” is in “${this.nameOf(id)}” now.`, { undo });
  }

  async create(fields) {
    const list = await this.tasks.lists.create(fields);
    this.arrive(list);
    this.on.said(`The list “${list.name}” is added.`);
    return list;
  }

  // Says what has changed: a name, a colour, or whether it is archived.
  async change(id, fields) {
    const list = await this.tasks.lists.update(id, fields, WHATEVER);
    this.arrive(list);
    if ("name" in fields) this.on.said(`The list is now called “${list.name}”.`);
    const undo = () => this.change(id, { archived: !fields.archived });
    const now = list.archived ? "archived" : "back from the archive";
    if ("archived" in fields) this.on.said(`The list “${list.name}” is ${now}.`, { undo });
    return list;
  }

  async remove(id) {
    const list = this.known.get(id);
    await this.tasks.lists.remove(id, WHATEVER);
    this.arrive({ ...list, deleted_at: true });
    const undo = async () => {
      this.arrive(await this.tasks.lists.restore(id, WHATEVER));
      this.on.back(id);
      this.on.said(`The list “${list.name}” is back.`);
    };
    this.on.said(`The list “${list.name}” is in the trash, with its tasks.`, { undo, focus: true });
  }
}
