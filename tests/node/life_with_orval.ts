// The life of a task, with the client that Orval makes of the contract: node life_with_orval.js ADDRESS TOKEN.

import assert from "node:assert/strict";

import { batchTasks, createTask, deleteTask, getTask, listTasks, patchTask, postCompleteTask } from "./orval/client";

const created = await createTask({ title: "Buy milk", due_date: "2026-12-01", description: null });
assert(created.status === 201);
const milk = created.data.data;
const seen = { headers: { "If-Match": `"${milk.revision}"` } };
const edited = await patchTask(milk.id, { priority: "high", due_date: null }, seen);
assert(edited.status === 200);
assert.equal(edited.data.data.priority, "high");
const outdated = await patchTask(milk.id, { title: "Buy tea" }, seen);
assert(outdated.status === 412);
assert.equal(outdated.data.data.due_date, null);
const done = await postCompleteTask(milk.id, { completed: true });
assert(done.status === 200);
assert.equal(done.data.data.status, "done");
const results = await batchTasks({ operations: [{ op: "create", data: { title: "Buy bread" } }] });
assert(results.status === 200);
assert.equal(results.data.data[0]?.status, 201);
const page = await listTasks({ status: ["todo", "done"], sort: "title", include_total: true });
assert(page.status === 200);
assert.deepEqual([page.data.data.map((task) => task.title), page.data.page.total], [["Buy bread", "Buy milk"], 2]);
assert.equal((await deleteTask(milk.id, { permanent: true })).status, 204);
const gone = await getTask(milk.id);
assert(gone.status === 404);
assert.equal(gone.data.error.code, "NOT_FOUND");
console.log("done");
