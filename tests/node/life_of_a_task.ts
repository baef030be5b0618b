// The whole life of a task, with the types that openapi-typescript makes of the contract. It has to compile with every
// strictness, and to run: node life_of_a_task.js ADDRESS TOKEN.

import assert from "node:assert/strict";

import createClient from "openapi-fetch";

import type { components, paths } from "./schema.js";

type Task = components["schemas"]["TaskPublic"];
type Change = components["schemas"]["ChangesAnswer"]["data"][number];
type Sort = components["schemas"]["TaskSort"];

const [address, token] = process.argv.slice(2);
assert(address !== undefined && token !== undefined);

const client = createClient<paths>({ baseUrl: address, headers: { Authorization: `Bearer ${token}` } });

async function create(title: string): Promise<Task> {
  const { data, error, response } = await client.POST("/api/tasks", { body: { title } });
  if (error) throw new Error(`${error.error.code}: ${error.error.message} (${error.error.request_id})`);
  assert.equal(response.headers.get("Location"), `/api/tasks/${data.data.id}`);
  return data.data;
}

async function all(sort: Sort): Promise<Task[]> {
  const found: Task[] = [];
  let cursor: string | null = null;
  do {
    const query: { sort: Sort; limit: number; include_total: boolean; cursor?: string } = {
      sort,
      limit: 2,
      include_total: true,
    };
    if (cursor !== null) query.cursor = cursor;
    const { data } = await client.GET("/api/tasks", { params: { query } });
    assert(data);
    assert.equal(data.page.total, 3);
    found.push(...data.data);
    cursor = data.page.next_cursor;
  } while (cursor !== null);
  return found;
}

// Edits on top of what is there now, when somebody else was faster.
async function rename(task: Task, title: string): Promise<Task> {
  const { data, error } = await client.PUT("/api/tasks/{task_id}", {
    params: { path: { task_id: task.id }, header: { "If-Match": `"${task.revision}"` } },
    body: { title },
  });
  if (data) return data.data;
  if ("data" in error) return rename(error.data, title); // 412
  throw new Error(error.error.code);
}

type TypedChange = components["schemas"]["TaskChange" | "LabelChange" | "ListChange"];

function isTyped(change: Change): change is TypedChange {
  return "type" in change;
}

function isDeleted(change: Change): change is components["schemas"]["DeletedTask"] {
  return "deleted" in change;
}

async function liveAndDie(): Promise<void> {
  const [milk, bread, eggs] = [await create("Milk"), await create("Bread"), await create("Eggs")];
  const of = (task: Task) => ({ params: { path: { task_id: task.id } } });

  const listed = await all("title");
  assert.deepEqual(
    listed.map((task) => task.title),
    ["Bread", "Eggs", "Milk"],
  );

  const since = (await client.GET("/api/changes")).data?.page.next_since;
  assert(since);

  const patched = await client.PATCH("/api/tasks/{task_id}", { ...of(milk), body: { description: "Two litres" } });
  assert.equal(patched.data?.data.description, "Two litres");
  const renamed = await rename(milk, "Oat milk"); // of the task as it was: the first attempt is answered 412
  assert.equal(renamed.title, "Oat milk");
  assert.equal(renamed.description, "Two litres");
  assert.equal(renamed.deleted_at, undefined);

  const toggled = await client.PATCH("/api/tasks/{task_id}/complete", of(milk));
  assert.equal(toggled.data?.data.completed, true);
  const reopened = await client.PATCH("/api/tasks/{task_id}/complete", { ...of(milk), body: { completed: false } });
  assert.equal(reopened.data?.data.completed_at, null);
  assert.equal((await client.GET("/api/tasks/{task_id}", of(milk))).data?.data.revision, reopened.data?.data.revision);

  const batch = await client.POST("/api/tasks/batch", {
    body: {
      atomic: false,
      operations: [
        { op: "create", data: { title: "Butter" } },
        { op: "update", id: bread.id, data: { title: "Rye bread" }, if_match: bread.revision },
        { op: "update", id: bread.id, data: { title: "Bread" }, if_match: bread.revision },
        { op: "delete", id: eggs.id },
      ],
    },
  });
  assert(batch.data);
  const outcomes = batch.data.data.map((result) => {
    if ("error" in result) return `${result.error.code} ${result.data?.title}`;
    return "data" in result ? result.data.title : result.status;
  });
  assert.deepEqual(outcomes, ["Butter", "Rye bread", "PRECONDITION_FAILED Rye bread", 204]);

  const changes = await client.GET("/api/changes", { params: { query: { since } } });
  assert(changes.data);
  assert.deepEqual(
    changes.data.data.map((change) => {
      assert(!isTyped(change)); // without `types`, none is
      return isDeleted(change) ? change.id === eggs.id : change.title;
    }),
    ["Oat milk", "Butter", "Rye bread", true],
  );

  const next = await client.GET("/api/changes", { params: { query: { since: changes.data.page.next_since } } });
  assert.deepEqual(next.data?.data, []);

  const trash = await client.GET("/api/tasks", { params: { query: { deleted: true } } });
  assert.deepEqual(trash.data?.data.map((task) => typeof task.deleted_at), ["string"]);
  const open = await client.GET("/api/tasks", { params: { query: { status: ["todo", "in_progress"], sort: "title" } } });
  assert.deepEqual(
    open.data?.data.map((task) => task.title),
    ["Butter", "Oat milk", "Rye bread"],
  );
  const restored = await client.POST("/api/tasks/{task_id}/restore", of(eggs));
  assert.equal(restored.data?.data.title, "Eggs");

  const gone = await client.DELETE("/api/tasks/{task_id}", {
    params: { path: { task_id: eggs.id }, query: { permanent: true } },
  });
  assert.equal(gone.response.status, 204);
  await errors(eggs);
}

async function errors(missing: Task): Promise<void> {
  const absent = await client.GET("/api/tasks/{task_id}", { params: { path: { task_id: missing.id } } });
  assert.equal(absent.response.status, 404);
  assert.equal(absent.error?.error.code, "NOT_FOUND");
  const blank = await client.POST("/api/tasks", { body: { title: " " } });
  assert.equal(blank.response.status, 422);
  assert.equal(blank.error?.error.details[0]?.field, "title");
  const stranger = createClient<paths>({ baseUrl: address ?? "" });
  assert.equal((await stranger.GET("/api/me")).error?.error.code, "UNAUTHORIZED");
}

// Where the answer is text, it is read as such.
async function follow(): Promise<void> {
  const lines = await client.GET("/api/me/export", { parseAs: "text" });
  assert(lines.data?.includes('"type":"end"'));
  const stream = await client.GET("/api/changes/stream", { parseAs: "stream" });
  assert(stream.data instanceof ReadableStream);
  await stream.data.cancel();
}

await liveAndDie();
await follow();
console.log("done");
