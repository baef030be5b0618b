// The types of task-api.js.

export type Status = "todo" | "in_progress" | "done" | "cancelled";
export type Priority = "high" | "medium" | "low";

export interface Task {
  id: string;
  user_id: string;
  title: string;
  description: string | null;
  completed: boolean;
  completed_at: string | null;
  created_at: string;
  updated_at: string;
  revision: number;
  status: Status;
  due_date: string | null;
  due_at: string | null;
  start_date: string | null;
  start_at: string | null;
  timezone: string | null;
  priority: Priority | null;
  labels: string[];
  /** Null: in the inbox. */
  list_id: string | null;
  /** What it is a subtask of; there may be no such task (yet). */
  parent_id: string | null;
  /** Only with `include=subtask_counts`: on the next level, without those in the trash. */
  subtask_counts?: { total: number; done: number };
  /** Sort the tasks of a list by it, byte by byte, for the order that people have arranged. */
  position: string;
  /** Only of a task in the trash. */
  deleted_at?: string;
}

/** The fields that you may set. An edit leaves those alone that it does not name. */
export interface TaskChanges {
  title?: string;
  description?: string | null;
  completed?: boolean;
  status?: Status;
  due_date?: string | null;
  due_at?: string | null;
  start_date?: string | null;
  start_at?: string | null;
  timezone?: string | null;
  priority?: Priority | null;
  labels?: string[];
  list_id?: string | null;
  parent_id?: string | null;
  position?: string;
}

export interface NewTask extends TaskChanges {
  title: string;
  /** Your own UUID, if you like. */
  id?: string | null;
}

/** Directly after or before another task, or at the end; with `list_id` in that list, null being the inbox; with
    `parent_id` under that task, null being none. */
export type Place = ({ after?: string; before?: never } | { before?: string; after?: never }) & {
  list_id?: string | null;
  parent_id?: string | null;
};

export interface Page {
  limit: number;
  has_more: boolean;
  next_cursor: string | null;
  since: string;
  total?: number;
  counts?: Record<Status, number>;
}

export interface TaskList extends Array<Task> {
  readonly page: Page;
  /** Fetches the next page; null after the last. */
  readonly next: (() => Promise<TaskList>) | null;
}

/** Parameters of a listing, such as `{ status: "todo", sort: "due", limit: 50 }`. */
export type Query = Record<string, string | number | boolean | readonly string[] | null | undefined> & {
  /** The subtasks of this task, or "none": the tasks that are nobody's subtask. */
  parent_id?: string | null;
  /** Gives each task its `subtask_counts`. */
  include?: "subtask_counts" | null;
};

export interface Options {
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

export interface ChangeOptions extends Options {
  /** What you change, as you have seen it: if it has changed since, the call fails with status 412 and has it as it is now. */
  ifMatch?: { revision: number } | "*";
}

export interface RequestOptions extends ChangeOptions {
  method?: string;
  /** Is sent as JSON, unless you give a header Content-Type. */
  body?: unknown;
}

/** The task that an operation is about: by its id, or by the `ref` of the earlier operation that creates it. */
type Target = ({ id: string; ref?: never } | { ref: string; id?: never }) & { if_match?: number | string };

/** `parent_ref`, the `ref` of an earlier operation, stands instead of `parent_id`. */
export type Operation =
  | { op: "create"; data: NewTask; ref?: string; parent_ref?: string }
  | ({ op: "update"; data: TaskChanges; parent_ref?: string } & Target)
  | ({ op: "complete"; data?: { completed: boolean; cascade?: boolean } } & Target)
  | ({ op: "delete" | "restore" } & Target);

export interface Detail {
  field: string;
  code: string;
  message: string;
}

export interface Result {
  index: number;
  status: number;
  data?: Task;
  error?: { code: string; message: string; request_id: string; details: Detail[]; documentation: string };
}

export interface Label {
  id: string;
  name: string;
  color: string | null;
  created_at: string;
  updated_at: string;
  revision: number;
}

export interface List {
  id: string;
  name: string;
  /** Such as #228b22. */
  color: string | null;
  archived: boolean;
  archived_at: string | null;
  created_at: string;
  updated_at: string;
  revision: number;
  /** Lists are in the order of this text. */
  position: string;
  /** Only of a list in the trash. */
  deleted_at?: string;
  /** How many tasks of each status it holds, if asked for with `include_counts=true`. */
  counts?: Record<Status, number>;
}

interface Changed {
  /** The sync token to continue from after this change. */
  since: string;
  type: "task" | "label" | "list";
  task?: Task;
  label?: Label;
  list?: List;
  /** The id of what was deleted. */
  deleted?: string;
}

/** A change: its `type` is also the name of what it holds, unless that was deleted. */
export type Change = Changed &
  ({ type: "task"; task: Task } | { type: "label"; label: Label } | { type: "list"; list: List } | { deleted: string });

export interface TaskApi {
  list(query?: Query, options?: Options): Promise<TaskList>;
  get(id: string, options?: Options): Promise<Task>;
  create(fields: NewTask, options?: Options): Promise<Task>;
  update(id: string, changes: TaskChanges, options?: ChangeOptions): Promise<Task>;
  /** With `cascade: false`, only the task itself changes, and not the tasks below and above it. */
  complete(id: string, completed?: boolean, options?: ChangeOptions & { cascade?: boolean }): Promise<Task>;
  move(id: string, place?: Place, options?: ChangeOptions): Promise<Task>;
  remove(id: string, options?: ChangeOptions & { permanent?: boolean }): Promise<void>;
  batch(operations: readonly Operation[], options?: Options & { atomic?: boolean }): Promise<Result[]>;
  changes(options?: { since?: string; signal?: AbortSignal; types?: string }): AsyncGenerator<Change, void, void>;
  request<T = unknown>(path: string, options?: RequestOptions): Promise<T>;
}

export class TaskApiError extends Error {
  /** The status of the answer, or 0 if none came. */
  status: number;
  code: string;
  details: Detail[];
  requestId: string | null;
  /** How many seconds to wait, or NaN. */
  retryAfter: number;
  /** With status 412: the task as it is now, if it was a task that was to be changed. */
  task?: Task;
  /** With status 412: the list as it is now, if it was a list. */
  list?: List;
}

export function taskApi(
  address: string,
  getToken: string | ((options: { fresh: boolean }) => string | Promise<string>),
  options?: { fetch?: typeof fetch; wait?: (milliseconds: number, signal?: AbortSignal) => Promise<unknown> },
): TaskApi;
