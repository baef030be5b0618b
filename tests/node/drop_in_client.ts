// What a page does with examples/task-api.js. A test compiles this against the client's types, and runs it in Node.js and in
// a browser. Each function gets the client, and returns what came of it.
import type {
  Change, ChangeType, LabelInFeed, List, NewList, NewTask, Page, Query, Task, TaskApi, TaskApiError, TaskChanges, TaskList,
} from "./task-api.js";
import type { components, paths } from "./schema.js";

type Told = { status: number; code: string; field: string | undefined; task: string | undefined; named: boolean; id: boolean };

const told = (problem: unknown): Told => {
  const { name, status, code, details, task, requestId } = problem as TaskApiError;
  return { status, code, field: details[0]?.field, task: task?.title, named: name === "TaskApiError", id: requestId !== null };
};
const failure = (call: Promise<unknown>): Promise<Told | undefined> => call.then(() => undefined, told);
const titles = ({ tasks }: TaskList): string[] => tasks.map((task) => task.title);

// The types are those of the contract, in both directions.
type Schemas = components["schemas"];
type Contract = [
  Schemas["TaskPublic"], Schemas["PageInfo"], Schemas["ListPublic"], Schemas["LabelInFeed"], Schemas["ChangeType"],
];
type Ours = [Task, Page, List, LabelInFeed, ChangeType];
export const fromContract = (...values: Contract): Ours => values;
export const toContract = (...values: Ours): Contract => values;
type Sent = [Schemas["TaskCreate"], Schemas["TaskUpdate"], Schemas["ListCreate"]];
export const sent = (...values: Sent): [NewTask, TaskChanges, NewList] => values;
type Filters = NonNullable<paths["/api/tasks"]["get"]["parameters"]["query"]>;
export const toQuery = (filters: Filters): Query => filters;
const known: Record<keyof Filters, true> & Record<keyof Query, true> = {} as Record<keyof Filters, true>;
export const names = Object.keys(known);

export function misuse(tasks: TaskApi): unknown[] {
  return [
    // @ts-expect-error - a task needs a title
    () => tasks.create({ description: "a" }),
    // @ts-expect-error - there is no such status
    () => tasks.update("a", { status: "finished" }),
    // @ts-expect-error - a task stands on one side of another
    () => tasks.move("a", { after: "b", before: "c" }),
    // @ts-expect-error - nothing else can be included
    () => tasks.list({ include: "subtasks" }),
    // @ts-expect-error - a misspelled filter
    () => tasks.list({ statsu: "todo" }),
    // @ts-expect-error - a misspelled word
    () => tasks.list({ status: ["todo", "finished"] }),
    // @ts-expect-error - a misspelled field
    () => tasks.update("a", { titel: "b" }),
    // @ts-expect-error - the pages follow each other
    () => tasks.all({ cursor: "a" }),
    // @ts-expect-error - a task may be deleted
    (change: Change) => change.type === "task" && change.task.title,
    (change: Change) => change.deleted === undefined && change.type === "task" && change.task.title,
    (change: Change) => (change.deleted === undefined ? change.since : change.deleted.length),
    (due: string | undefined) => tasks.create({ title: "a", due_date: due, labels: ["b"] as const }),
  ];
}

export async function life(tasks: TaskApi) {
  const first = await tasks.create({ title: "Buy milk", due_date: "2026-12-24" });
  const done = await tasks.create({ title: "Buy bread" });
  const completed = await tasks.complete(done.id);
  const reopened = await tasks.complete(done.id, false);
  const edited = await tasks.update(first.id, { title: "Buy oat milk" }, { ifMatch: first });
  const outdated = await failure(tasks.update(first.id, { title: "Buy rice" }, { ifMatch: first }));
  const batch = await tasks.batch([{ op: "create", data: { title: "Buy tea" } }, { op: "complete", id: done.id }]);
  await tasks.move(first.id, { after: batch[0]?.data?.id ?? "" }, { ifMatch: edited });
  const arranged = titles(await tasks.list({ list_id: "inbox", sort: "position" }));
  const page = await tasks.list({ status: "todo", sort: "title", limit: 1, include_total: true });
  const second = await tasks.list({ status: "todo", sort: "title", limit: 1, cursor: page.page.next_cursor });
  const changed: string[] = [];
  const stop = new AbortController();
  for await (const { task } of tasks.changes({ signal: stop.signal })) {
    changed.push(task?.title ?? "");
    if (changed.length === 3) stop.abort();
  }
  await tasks.remove(done.id);
  await tasks.remove(first.id, { permanent: true });
  return {
    statuses: [completed.status, reopened.status],
    edited: edited.title,
    outdated,
    arranged,
    batch: batch.map((result) => result.status),
    pages: [titles(page), titles(second), second.page.next_cursor],
    total: page.page.total,
    changed: changed.sort(),
    missing: await failure(tasks.get(first.id)),
    wrong: await failure(tasks.create({ title: "" })),
    account: (await tasks.account.update({ timezone: "Europe/Berlin" })).timezone,
    file: (await (await tasks.exportFile({ format: "csv" })).text()).split("\r\n").length,
    left: titles(await tasks.list()),
  };
}

export async function create(tasks: TaskApi) {
  return (await tasks.create({ title: "Buy milk" })).title;
}

export async function list(tasks: TaskApi) {
  return titles(await tasks.list());
}

export async function listTwice(tasks: TaskApi) {
  return [await failure(tasks.list()), await failure(tasks.list())];
}

export async function twoAtOnce(tasks: TaskApi) {
  return (await Promise.all([tasks.list(), tasks.list()])).map(titles);
}

export async function change(tasks: TaskApi) {
  const [task] = (await tasks.list()).tasks;
  if (!task) throw new Error("there is no task");
  return (await tasks.update(task.id, { title: "Buy tea" }, { ifMatch: task })).title;
}

export async function move(tasks: TaskApi) {
  const [task] = (await tasks.list({ sort: "created_at" })).tasks;
  if (!task) throw new Error("there is no task");
  await tasks.move(task.id, {}, { ifMatch: task });
  return titles(await tasks.list({ list_id: "inbox", sort: "position" }));
}

// Completes a task without its subtask, and then with it.
export async function completeAlone(tasks: TaskApi) {
  const { id } = await tasks.create({ title: "top" });
  await tasks.create({ title: "sub", parent_id: id });
  const counts = async () => (await tasks.list({ parent_id: "none", include: "subtask_counts" })).tasks[0]?.subtask_counts;
  const { status } = await tasks.complete(id, true, { cascade: false });
  const alone = await counts();
  await tasks.complete(id, false);
  await tasks.complete(id);
  return [status, alone, await counts()];
}

export async function changeBoth(tasks: TaskApi) {
  const [task] = (await tasks.list()).tasks;
  return failure(tasks.update(task?.id ?? "", { status: "todo", completed: true }));
}

export async function toggle(tasks: TaskApi) {
  const [task] = (await tasks.list()).tasks;
  return failure(tasks.request(`/api/tasks/${task?.id}/complete`, { method: "PATCH" }));
}

export async function remove(tasks: TaskApi) {
  const [task] = (await tasks.list()).tasks;
  await tasks.remove(task?.id ?? "");
  return titles(await tasks.list());
}

export async function creation(tasks: TaskApi) {
  return failure(tasks.create({ title: "Buy milk" }));
}

// Changes a list as it was before somebody else did.
export async function changeList(tasks: TaskApi) {
  const [list] = await tasks.lists.list();
  const id = list?.id ?? "";
  await tasks.lists.update(id, { name: "Shop" });
  const call = tasks.lists.update(id, { name: "Market" }, { ifMatch: list });
  const { status, task, list: now } = await call.then(() => Promise.reject(call), (problem: TaskApiError) => problem);
  return { status, list: now?.name, task: task !== undefined };
}

// Follows tasks, labels and lists until the task "last" arrives.
export async function followAll(tasks: TaskApi) {
  const seen: (string | undefined)[][] = [];
  for await (const { type, task, label, list, deleted } of tasks.changes({ types: ["task", "label", "list"] })) {
    seen.push([type, task?.title ?? label?.name ?? list?.name, deleted]);
    if (task?.title === "last") break;
  }
  return seen;
}

// Follows changes until the task "last" arrives.
export async function follow(tasks: TaskApi) {
  const seen: string[] = [];
  let since: string | undefined;
  for await (const change of tasks.changes()) {
    since = change.since;
    seen.push(nameOf(change));
    if (change.task?.title === "last") break;
  }
  const later: string[] = [];
  if (since) {
    const [first] = (await tasks.list({ sort: "created_at" })).tasks;
    await tasks.remove(first?.id ?? "");
    for await (const change of tasks.changes({ since })) {
      later.push(change.deleted === first?.id ? "removed" : nameOf(change));
      break;
    }
  }
  return { seen, later };
}

export async function followFrom(tasks: TaskApi) {
  const forgotten = (async () => {
    for await (const change of tasks.changes({ since: "AAAAAAAPQkA9D7biRDI" })) nameOf(change);
  })();
  return failure(forgotten);
}

const nameOf = (change: Change): string => change.task?.title ?? change.deleted ?? "";
