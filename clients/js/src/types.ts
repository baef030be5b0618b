// The client, as callers see it.
import type {
  AccessToken, Account, AccountChanges, ActivityEvent, ActivityPage, ActivityQuery, ChangeType, CreatedAccessToken, ErrorBody, ExportQuery, ImportReport, Included, Label,
  LabelChanges, LabelFields, LabelInFeed, List, ListChanges, ListPlace, ListsQuery, Login, NewAccessToken, NewList, NewTask, Page,
  PasswordChange, Query, Registration, SignInInfo, StatusCounts, SubtasksQuery, Task, TaskChanges, TaskPlace, TasksOfDeleted, Undone,
  User,
} from "./contract.js";

export interface Options {
  /** Ends the call: it then fails with the signal's reason. */
  signal?: AbortSignal | undefined;
  headers?: Record<string, string> | undefined;
}

export interface ChangeOptions extends Options {
  /** What you change, as you have seen it: if it has changed since, the call fails with status 412 and has it as it is now. */
  ifMatch?: { revision: number } | "*" | undefined;
}

export interface RequestOptions extends ChangeOptions {
  method?: string | undefined;
  /** Is sent as JSON, unless you give a header Content-Type. */
  body?: unknown;
}

/** A page of tasks: plain data, to keep in a cache or to pass from a server to a browser. */
export interface TaskList {
  tasks: Task[];
  page: Page;
}

/** A page of what was changed, the latest first. */
export interface Activity {
  events: ActivityEvent[];
  page: ActivityPage;
}

/** All tasks that a query finds, page by page as they are read. */
export interface AllTasks extends AsyncIterable<Task> {
  /** All of them in an array, but no more than `limit`, at most 10,000. */
  toArray(options: { limit: number }): Promise<Task[]>;
}

/** Directly after or before another task, or at the end; with `list_id` in that list, null being the inbox; with
    `parent_id` under that task, null being none. */
export type Place = Omit<TaskPlace, "after" | "before"> & Beside;
type Beside = { after?: string | undefined; before?: undefined } | { before?: string | undefined; after?: undefined };

/** The task that an operation is about: by its id, or by the `ref` of the earlier operation that creates it. */
type Target = ({ id: string; ref?: undefined } | { ref: string; id?: undefined }) & { if_match?: number | string | undefined };

/** `parent_ref`, the `ref` of an earlier operation, stands instead of `parent_id`. */
export type Operation =
  | { op: "create"; data: NewTask; ref?: string | undefined; parent_ref?: string | undefined }
  | ({ op: "update"; data: TaskChanges; parent_ref?: string | undefined } & Target)
  | ({ op: "complete"; data?: { completed: boolean; cascade?: boolean | undefined } | undefined } & Target)
  | ({ op: "delete" | "restore" } & Target);

/** What came of an operation. */
export interface Result {
  index: number;
  status: number;
  data?: Task;
  error?: ErrorBody;
}

/** A change: what `type` names, or its id in `deleted`. `since` is the sync token to continue from after it. */
export type Change =
  | { since: string; type: "task"; task: Task; label?: undefined; list?: undefined; deleted?: undefined }
  | { since: string; type: "label"; label: LabelInFeed; task?: undefined; list?: undefined; deleted?: undefined }
  | { since: string; type: "list"; list: List; task?: undefined; label?: undefined; deleted?: undefined }
  | { since: string; type: ChangeType; deleted: string; task?: undefined; label?: undefined; list?: undefined };

export interface ChangesOptions {
  /** Where to continue: `since` of the last change that you have, or of a page; "now" for new changes only. */
  since?: string | undefined;
  signal?: AbortSignal | undefined;
  /** What is followed: tasks, or `["task", "label", "list"]`. Stay with them as long as you go on from a `since`. */
  types?: string | readonly ChangeType[] | undefined;
  /** Ask every so many milliseconds instead of keeping a stream open. By default only where fetch has no streams. */
  pollEvery?: number | undefined;
}

export interface SubscribeOptions extends ChangesOptions {
  /** Gets what ends the subscription, such as a TaskApiError 410. Without it, that is an unhandled rejection. */
  onError?: ((problem: unknown) => void) | undefined;
}

export interface ExportOptions extends Options, ExportQuery {}

export interface Lists {
  list(query?: ListsQuery, options?: Options): Promise<List[]>;
  get(id: string, options?: Options): Promise<List>;
  create(fields: NewList, options?: Options): Promise<List>;
  update(id: string, changes: ListChanges, options?: ChangeOptions): Promise<List>;
  /** Into the trash, with its tasks, unless `tasks: "inbox"` keeps these. */
  remove(id: string, options?: ChangeOptions & { tasks?: TasksOfDeleted | undefined; permanent?: boolean | undefined }): Promise<void>;
  restore(id: string, options?: ChangeOptions): Promise<List>;
  move(id: string, place?: ListPlace, options?: ChangeOptions): Promise<List>;
}

export interface Labels {
  list(options?: Options): Promise<Label[]>;
  /** Makes the label of this name, or gives it these fields. */
  put(name: string, fields?: LabelFields, options?: Options): Promise<Label>;
  update(name: string, changes: LabelChanges, options?: Options): Promise<Label>;
  /** Takes it off all tasks, too. */
  remove(name: string, options?: Options): Promise<void>;
}

export interface AccessTokens {
  list(options?: Options): Promise<AccessToken[]>;
  /** The answer is the only one that has the `token`. */
  create(fields: NewAccessToken, options?: Options): Promise<CreatedAccessToken>;
  remove(id: string, options?: Options): Promise<void>;
}

export interface Accounts {
  get(options?: Options): Promise<Account>;
  update(changes: AccountChanges, options?: Options): Promise<Account>;
  /** Everything that the service has of the user, as JSON lines. */
  export(options?: Options): Promise<Blob>;
  /** Erases the account and all its data; `confirm` is the user's id. */
  erase(confirm: string, options?: Options): Promise<void>;
}

/** The sign-in of the service itself, where it is on. The client keeps the session, renews it, and uses it in every call. */
export interface SignIn {
  /** Registers and signs in; with the right password, whoever is registered already is signed in. */
  register(fields: Registration, options?: Options): Promise<User>;
  login(fields: Login, options?: Options): Promise<User>;
  /** Signs out here at once, and then at the service, if it can be reached. */
  logout(options?: Options): Promise<void>;
  /** Ends all other sessions of the user. */
  changePassword(fields: PasswordChange, options?: Options): Promise<void>;
  /** Who is signed in, or null. */
  user(): Promise<User | null>;
  /** What is on: signing up, and how long a password has to be. */
  settings(options?: Options): Promise<SignInInfo>;
}

export interface TaskApi {
  /** One page of tasks; `page.next_cursor` is the `cursor` of the next page, or null. */
  list(query?: Query, options?: Options): Promise<TaskList>;
  /** All tasks, whatever the number of pages: `for await (const task of api.all({ status: "todo" }))`. */
  all(query?: Omit<Query, "cursor">, options?: Options): AllTasks;
  /** How many tasks of each status match the query. */
  counts(query?: Omit<Query, "cursor" | "limit">, options?: Options): Promise<StatusCounts>;
  get(id: string, options?: Options & { include?: Included | undefined }): Promise<Task>;
  create(fields: NewTask, options?: Options): Promise<Task>;
  update(id: string, changes: TaskChanges, options?: ChangeOptions): Promise<Task>;
  /** With `cascade: false`, only the task itself changes, and not the tasks below and above it. */
  complete(id: string, completed?: boolean, options?: ChangeOptions & { cascade?: boolean | undefined }): Promise<Task>;
  /** Completes an open task, and reopens a completed one. */
  toggle(id: string, options?: ChangeOptions): Promise<Task>;
  move(id: string, place?: Place, options?: ChangeOptions): Promise<Task>;
  /** Into the trash; for good with `permanent`. */
  remove(id: string, options?: ChangeOptions & { permanent?: boolean | undefined }): Promise<void>;
  restore(id: string, options?: ChangeOptions): Promise<Task>;
  /** Undoes the last change of the task, and what changed along with it. Undoing twice does it again. */
  undo(id: string, options?: ChangeOptions): Promise<Task>;
  /** Undoes all that a request did: the one to which you gave `headers: { "X-Request-ID": requestId }`, an id of your own. */
  undoRequest(requestId: string, options?: Options): Promise<Undone>;
  /** Who changed what in the last 90 days. */
  activity(query?: ActivityQuery, options?: Options): Promise<Activity>;
  activityOf(id: string, query?: Omit<ActivityQuery, "kind">, options?: Options): Promise<Activity>;
  subtasks(id: string, query?: SubtasksQuery, options?: Options): Promise<TaskList>;
  /** Up to 100 operations, of which all are carried out or none, unless `atomic` is false. */
  batch(operations: readonly Operation[], options?: Options & { atomic?: boolean | undefined }): Promise<Result[]>;
  /** The changes after `since`, then new changes as they happen, until `signal` is aborted or the loop is left. Store its `since`
      with your copy, to continue from there another day. After error 410, drop the copy and start without `since`. */
  changes(options?: ChangesOptions): AsyncGenerator<Change, void, void>;
  /** Calls back with each change, in order; returns what ends it. */
  subscribe(callback: (change: Change) => unknown, options?: SubscribeOptions): () => void;
  /** `type` is that of the file: application/jsonl, application/json, text/csv or text/calendar. A repeat changes nothing. */
  importFile(file: Blob | string, options?: Options & { type?: string | undefined }): Promise<ImportReport>;
  exportFile(options?: ExportOptions): Promise<Blob>;
  readonly lists: Lists;
  readonly labels: Labels;
  readonly tokens: AccessTokens;
  readonly account: Accounts;
  readonly auth: SignIn;
  /** All other calls: what is in `data`, or the whole answer where there is something beside it, such as `page`. */
  request<T = unknown>(path: string, options?: RequestOptions): Promise<T>;
}

/** A token, or a function that fetches one; `fresh` says that the last one was refused. */
export type Token = string | ((how: { fresh: boolean }) => string | Promise<string>);

/** Where a session is kept. Each method may answer at once or later. */
export interface Storage {
  get(key: string): string | null | undefined | Promise<string | null | undefined>;
  set(key: string, value: string): unknown;
  remove(key: string): unknown;
}

export interface ClientOptions {
  fetch?: typeof globalThis.fetch | undefined;
  /** Waits before another try. */
  wait?: ((milliseconds: number, signal?: AbortSignal) => Promise<unknown>) | undefined;
  /** Keeps the session of `auth`: by default localStorage in browsers, and elsewhere the memory of this client. */
  storage?: Storage | undefined;
}
