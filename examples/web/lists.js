// The lists of the user: what is known of each, and what can be done with it. The side bar shows them.
import { inOrder, makeMoves } from "./drag.js";

const at = (id) => `/api/lists/${encodeURIComponent(id)}`;

// `on` has what the lists tell: drawn(), when something of them looks different; gone(list); moved(taskId, fields), which
// resolves to the task; said(text, how), failed(error); and place(), what is shown.
export function makeLists(tasks, on) {
  const known = new Map(); // all lists outside the trash, by id
  const shared = new Set(); // the ids of lists for which there are tokens
  const moves = makeMoves((id) => moves.onto(known.get(id)), on.drawn);
  const lists = {
    load, arrive, all, get: (id) => moves.onto(known.get(id)), nameOf, colorOf, facts, options, take, move, create, change,
    remove, isShared: (id) => shared.has(id), chosen,
  };
  return lists;

  // The archived ones are folded away at the side, but tasks may be in them.
  async function load(signal) {
    const [found, archived, tokens] = await Promise.all([
      tasks.request("/api/lists?archived=false", { signal }),
      tasks.request("/api/lists?archived=true", { signal }),
      tasks.request("/api/me/tokens", { signal }).catch(() => []), // only a sign-in may see them
    ]);
    for (const list of [...found, ...archived]) known.set(list.id, list);
    for (const { list_id: id } of tokens) if (id) shared.add(id);
    on.drawn();
  }

  // A list has been made, changed or deleted, here or elsewhere.
  function arrive(list) {
    const before = known.get(list.id);
    if (before?.revision > list.revision) return; // this is older than what is shown
    if (list.deleted_at) known.delete(list.id);
    else known.set(list.id, list);
    if (list.deleted_at) on.gone(list);
    on.drawn();
  }

  // In their order; with `archived`, those that are archived.
  function all({ archived = false } = {}) {
    return [...known.values()].map(moves.onto).filter((list) => list.archived === archived).sort(inOrder);
  }

  // The id of the list that is shown, or null: then new tasks come into the inbox.
  function chosen() {
    const [kind, id] = on.place().split("/");
    return kind === "list" && known.has(id) ? id : null;
  }

  function nameOf(id) {
    return id === null ? "Inbox" : known.get(id)?.name ?? "A list";
  }

  function colorOf(id) {
    return known.get(id)?.color ?? null;
  }

  // Which list a task is in stands on its row where tasks of several lists are shown.
  function facts({ list_id: id }) {
    const isOne = on.place() === "inbox" || on.place().startsWith("list/");
    return isOne || id === null ? [] : [{ kind: "in", text: nameOf(id), color: colorOf(id) }];
  }

  function options() {
    const marked = ({ name, archived }) => (archived ? `${name} (archived)` : name);
    const each = [...all(), ...all({ archived: true })];
    return [new Option("Inbox", ""), ...each.map((list) => new Option(marked(list), list.id))];
  }

  function move(id, beside) {
    const body = { method: "POST", body: beside, ifMatch: "*" };
    return moves.run(id, {}, beside, async () => arrive(await tasks.request(`${at(id)}/move`, body))).catch(on.failed);
  }

  // Puts a task into a list.
  async function take(taskId, id) {
    const before = on.taskOf(taskId);
    const task = await on.moved(taskId, { list_id: id });
    if (!task || !before || before.list_id === id) return;
    const undo = () => on.moved(taskId, { list_id: before.list_id, parent_id: before.parent_id });
    on.said(`“${task.title}” is in “${nameOf(id)}” now.`, { undo });
  }

  async function create(fields) {
    const list = await tasks.request("/api/lists", { method: "POST", body: fields });
    arrive(list);
    on.said(`The list “${list.name}” is added.`);
    return list;
  }

  // Says what has changed: a name, a colour, or whether it is archived.
  async function change(id, fields) {
    const list = await tasks.request(at(id), { method: "PATCH", body: fields, ifMatch: "*" });
    arrive(list);
    if ("name" in fields) on.said(`The list is now called “${list.name}”.`);
    const undo = () => change(id, { archived: !fields.archived });
    const now = list.archived ? "archived" : "back from the archive";
    if ("archived" in fields) on.said(`The list “${list.name}” is ${now}.`, { undo });
    return list;
  }

  async function remove(id) {
    const list = known.get(id);
    await tasks.request(at(id), { method: "DELETE", ifMatch: "*" });
    arrive({ ...list, deleted_at: true });
    const undo = async () => {
      arrive(await tasks.request(`${at(id)}/restore`, { method: "POST", ifMatch: "*" }));
      on.back(id);
      on.said(`The list “${list.name}” is back.`);
    };
    on.said(`The list “${list.name}” is in the trash, with its tasks.`, { undo, focus: true });
  }
}
