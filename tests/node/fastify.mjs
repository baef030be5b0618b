// *Fastify*: what a developer of JavaScript would write, with postgres.js, which prepares its statements, and one statement
// for each call. No row-level security, no limits. Serves on a free loopback port, in as many processes as WORKERS says.
import cluster from "node:cluster";
import fastifyJwt from "@fastify/jwt";
import Fastify from "fastify";
import postgres from "postgres";
import { v7 as uuid } from "uuid";

const { DATABASE_POOL_SIZE, DATABASE_URL, JWT_SECRET, WORKERS } = process.env;
const { username, password, hostname, port, pathname, searchParams } = new URL(DATABASE_URL);
const PRIORITIES = { high: 4, medium: 5, low: 9 }; // the last number of each

const [text, flag, integer] = ["string", "boolean", "integer"].map((type) => ({ type }));
const nullable = { ...text, nullable: true };
const object = (properties, required = []) => ({ type: "object", properties, required });
const fields = { title: { ...text, minLength: 1, maxLength: 500 }, description: { ...nullable, maxLength: 10_000 }, completed: flag };
const task = object({
  id: text, user_id: text, title: text, description: nullable, completed: flag, completed_at: nullable, created_at: text,
  updated_at: text, revision: integer, status: text, due_date: nullable, due_at: nullable, start_date: nullable,
  start_at: nullable, timezone: nullable, priority: nullable, labels: { type: "array", items: text }, list_id: nullable,
  position: text, parent_id: nullable,
});
const one = object({ data: task });
const page = object({ limit: integer, has_more: flag, next_cursor: nullable, since: text });
const many = object({ data: { type: "array", items: task }, page });

const sql = postgres({
  host: hostname, port, username, password, database: pathname.slice(1), max: Number(DATABASE_POOL_SIZE),
  ssl: searchParams.get("sslmode") === "require" && { rejectUnauthorized: false },
  types: { number: { to: 20, from: [20], parse: Number, serialize: String }, date: { to: 1082, from: [1082], parse: String } },
});
const columns = sql`user_id, id, title, description, completed, completed_at, created_at, updated_at, revision, open_status,
  due_date, due_at, start_date, start_at, timezone, priority, labels, list_id, position, parent_id`;

const app = Fastify({ logger: true });
app.register(fastifyJwt, { secret: JWT_SECRET });
app.addHook("onRequest", async (request) => {
  if (request.url.startsWith("/api/")) await request.jwtVerify();
});

function shown(row) {
  row.status = row.completed ? "done" : row.open_status;
  row.priority = Object.keys(PRIORITIES).find((word) => row.priority <= PRIORITIES[word]) ?? null;
  for (const name of ["completed_at", "created_at", "updated_at", "due_at", "start_at"]) row[name] = row[name]?.toISOString() ?? null;
  return row;
}

function answer(reply, row) {
  if (!row) return reply.code(404).send({ error: "Task not found" });
  reply.header("etag", `"${row.revision}"`);
  return { data: shown(row) };
}

app.get("/health/ready", async () => ({ status: "ok" }));

const found = (user, id) => sql`SELECT ${columns} FROM tasks WHERE user_id = ${user} AND id = ${id} AND deleted_at IS NULL`;
app.get("/api/tasks/:id", { schema: { response: { 200: one } } }, async (request, reply) => {
  return answer(reply, (await found(request.user.sub, request.params.id))[0]);
});

const listing = object({ limit: { ...integer, minimum: 1, maximum: 1000, default: 1000 } });
app.get("/api/tasks", { schema: { querystring: listing, response: { 200: many } } }, async (request, reply) => {
  const { limit } = request.query;
  const [[user], rows] = await Promise.all([
    sql`SELECT revision, task_count FROM users WHERE id = ${request.user.sub}`,
    sql`SELECT ${columns} FROM tasks WHERE user_id = ${request.user.sub} AND NOT in_trash
        ORDER BY created_at DESC, id DESC LIMIT ${limit + 1}`,
  ]);
  const has_more = rows.length > limit;
  const data = rows.slice(0, limit).map(shown);
  const next_cursor = has_more ? `${data.at(-1).created_at} ${data.at(-1).id}` : null;
  reply.header("etag", `"${user?.revision}-${user?.task_count}"`);
  return { data, page: { limit, has_more, next_cursor, since: String(user?.revision ?? 0) } };
});

app.post("/api/tasks", { schema: { body: object(fields, ["title"]), response: { 201: one } } }, async (request, reply) => {
  const { title, description = null, completed = false } = request.body;
  const id = uuid();
  const position = `p${BigInt(`0x${id.replaceAll("-", "").slice(0, 15)}`).toString().padStart(19, "0")}1`;
  const [row] = await sql`
    WITH account AS (
      INSERT INTO users (id, revision, task_count) VALUES (${request.user.sub}, 1, 1)
      ON CONFLICT (id) DO UPDATE SET revision = users.revision + 1, task_count = users.task_count + 1
      WHERE users.task_count < 100000 RETURNING id, revision
    )
    INSERT INTO tasks (user_id, id, title, description, completed, completed_at, revision, position)
    SELECT id, ${id}, ${title}, ${description}, ${completed}, CASE WHEN ${completed} THEN now() END, revision, ${position}
    FROM account RETURNING ${columns}`;
  if (!row) return reply.code(409).send({ error: "Too many tasks" });
  reply.code(201).header("location", `/api/tasks/${id}`);
  return answer(reply, row);
});

app.put("/api/tasks/:id", { schema: { body: object(fields), response: { 200: one } } }, async (request, reply) => {
  const { id } = request.params;
  const { title = null, completed = null } = request.body;
  const describes = "description" in request.body;
  const description = request.body.description ?? null;
  const [row] = await sql`
    WITH edited AS (
      SELECT id AS edited_id, title AS old_title, completed AS old_completed, description AS old_description,
        coalesce(${title}, title) AS new_title, coalesce(${completed}, completed) AS new_completed,
        CASE WHEN ${describes} THEN ${description} ELSE description END AS new_description
      FROM tasks WHERE user_id = ${request.user.sub} AND id = ${id} AND deleted_at IS NULL
    ), account AS (
      UPDATE users SET revision = revision + 1 FROM edited WHERE id = ${request.user.sub}
        AND (old_title, old_completed, old_description) IS DISTINCT FROM (new_title, new_completed, new_description)
      RETURNING id AS owner_id, revision AS counted
    )
    UPDATE tasks SET title = new_title, description = new_description, completed = new_completed, updated_at = now(),
      completed_at = CASE WHEN new_completed THEN coalesce(completed_at, now()) END, revision = counted
    FROM edited, account WHERE user_id = owner_id AND id = edited_id RETURNING ${columns}`;
  return answer(reply, row ?? (await found(request.user.sub, id))[0]);
});

// Fastify's own processes share the listener of the first, which starts them and ends with them.
if (cluster.isPrimary && Number(WORKERS) > 1) {
  for (let number = 0; number < Number(WORKERS); number += 1) cluster.fork();
  cluster.once("listening", (_, address) => console.log(`Task API  http://127.0.0.1:${address.port}`));
  process.once("SIGTERM", () => cluster.disconnect());
} else {
  const address = await app.listen({ host: "127.0.0.1", port: 0 });
  if (cluster.isPrimary) console.log(`Task API  ${address}`);
  for (const signal of ["SIGTERM", "disconnect"]) process.once(signal, () => app.close().then(() => sql.end()));
}
