// The life of a task, with the client that hey-api makes of the contract: node life_with_hey_api.js ADDRESS TOKEN.

import assert from "node:assert/strict";

import { client } from "./hey/client.gen";
import {
  batchTasks,
  createTask,
  deleteTask,
  getTask,
  listTasks,
  patchTask,
  postCompleteTask,
  streamChanges,
} from "./hey";
import type { TaskPublic } from "./hey";

const [address, token] = process.argv.slice(2);
assert(address !== undefined && token !== undefined);
client.setConfig({ baseUrl: address, auth: token });

async function create(title: string): Promise<TaskPublic> {
  const { data, error } = await createTask({ body: { title, due_date: "2026-12-01", description: null } });
  if (error) throw new Error(error.detail);
  return data.data;
}

const milk = await create("Buy milk");
const edited = await patchTask({
  path: { task_id: milk.id },
  body: { priority: "high", due_date: null },
  headers: { "If-Match": `"${milk.revision}"` },
});
assert.equal(edited.data?.data.priority, "high");
const outdated = await patchTask({
  path: { task_id: milk.id },
  body: { title: "Buy tea" },
  headers: { "If-Match": `"${milk.revision}"` },
});
assert(outdated.error && "data" in outdated.error);
assert.equal(outdated.error.data.due_date, null);
const done = await postCompleteTask({ path: { task_id: milk.id }, body: { completed: true } });
assert.equal(done.data?.data.status, "done");
const results = await batchTasks({ body: { operations: [{ op: "create", data: { title: "Buy bread" } }] } });
assert.equal(results.data?.data[0]?.status, 201);
const { data: page } = await listTasks({ query: { status: ["todo", "done"], sort: "title", include_total: true } });
assert(page);
assert.deepEqual([page.data.map((task) => task.title), page.page.total], [["Buy bread", "Buy milk"], 2]);

const leave = new AbortController();
const { stream } = await streamChanges({ query: { types: ["task"] }, signal: leave.signal });
for await (const change of stream) {
  if ("type" in change && change.type === "task" && "title" in change.data) {
    assert.equal(change.data.title, "Buy milk");
    leave.abort();
    break;
  }
}
assert.equal((await deleteTask({ path: { task_id: milk.id }, query: { permanent: true } })).response.status, 204);
assert.equal((await getTask({ path: { task_id: milk.id } })).error?.error.code, "NOT_FOUND");
console.log("done");
process.exit();
