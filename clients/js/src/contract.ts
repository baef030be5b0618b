// Written by scripts/types.mjs from the contract: do not edit.

/** List, filter and search tasks: what null and undefined stand for is left out. */
export interface Query {
  /** Only tasks with all these words in title or description; also `or`, `-without`, `"a phrase"`. Example: `milk or "soy drink" -oat` */
  q?: string | null | undefined;
  /** Only tasks that have all of these labels, separated by commas. Example: `home,errand` */
  labels?: string | readonly string[] | null | undefined;
  /** Only tasks that have at least one of these labels, separated by commas. Example: `home,errand` */
  labels_any?: string | readonly string[] | null | undefined;
  /** Only tasks with one of these: `pending` is `todo,in_progress`, `completed` is `done`, and `all` is any */
  status?: readonly StatusWord[] | StatusWord | null | undefined;
  /** Only tasks that are done (`true`) or open (`false`) */
  completed?: boolean | null | undefined;
  /** Only tasks with one of these; `none` stands for null */
  priority?: readonly PriorityWord[] | PriorityWord | null | undefined;
  /** Only tasks that should be done by now, and are neither done nor cancelled (`true`), or all others. A day must have ended */
  overdue?: boolean | null | undefined;
  /** `true`: the tasks in the trash, with `deleted_at`, instead of the active ones */
  deleted?: boolean | null | undefined;
  /** Only tasks due before this day or time. Example: `2026-11-21` */
  due_before?: string | null | undefined;
  /** Only tasks due after this day or time. Example: `2026-11-21` */
  due_after?: string | null | undefined;
  /** Only tasks with a due date (`true`) or without (`false`) */
  has_due?: boolean | null | undefined;
  /** The zone of days in other filters; by default that of your account, or UTC. Example: `Europe/Berlin` */
  timezone?: string | null | undefined;
  /** Only tasks created after this time. Example: `2026-11-01T00:00:00Z` */
  created_after?: string | null | undefined;
  /** Only tasks created before this time. Example: `2026-12-01T00:00:00+02:00` */
  created_before?: string | null | undefined;
  /** Only tasks last changed after this time. Example: `2026-11-01T00:00:00Z` */
  updated_after?: string | null | undefined;
  /** Only tasks last changed before this time. Example: `2026-12-01T00:00:00+02:00` */
  updated_before?: string | null | undefined;
  /** Only the tasks in this list, or those in none (`inbox`). Example: `0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f` */
  list_id?: string | null | undefined;
  /** Only tasks in archived lists (`true`), or all others (`false`) */
  in_archived?: boolean | null | undefined;
  /** Only subtasks of this task, or tasks that have no parent (`none`). Example: `0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f` */
  parent_id?: string | null | undefined;
  /** Only these tasks: up to 100 ids, separated by commas. Example: `0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f` */
  ids?: string | readonly string[] | null | undefined;
  /** What to sort by; `-` reverses the order. Open tasks come after completed ones, and those without a due date or priority after those with one; a day counts as its end in UTC. `position` needs `list_id` or `parent_id` */
  sort?: TaskSort | null | undefined;
  /** The direction of `sort`: `sort=due&order=desc` is `sort=-due`. Without `sort`, that of `created_at` */
  order?: SortOrder | null | undefined;
  /** Maximum number of tasks to return */
  limit?: number | null | undefined;
  /** `page.next_cursor` of the previous page, with the same filters and `sort`. Example: `AAAAAAAAAAABl8Hwejt8TY5fanuMnQ4fAAZgxgEyOEDFpjW7_Tk` */
  cursor?: string | null | undefined;
  /** `subtask_counts`: how many subtasks each task has, and how many are done */
  include?: Included | null | undefined;
  /** `true`: also count all matching tasks, as `page.total` */
  include_total?: boolean | null | undefined;
  /** `true`: also count the tasks of each status that match the other filters, as `page.counts` */
  include_counts?: boolean | null | undefined;
}

/** List the lists: what null and undefined stand for is left out. */
export interface ListsQuery {
  /** `true`: the archived lists instead of the others */
  archived?: boolean | null | undefined;
  /** `true`: all lists in the trash, with `deleted_at`, instead of the active ones */
  deleted?: boolean | null | undefined;
  /** `true`: also count the tasks of each status in each list, as `counts` */
  include_counts?: boolean | null | undefined;
}

/** List the subtasks of a task: what null and undefined stand for is left out. */
export interface SubtasksQuery {
  /** Maximum number of tasks to return */
  limit?: number | null | undefined;
  /** `page.next_cursor` of the previous page. Example: `AAAAAAAAAAABl8Hwejt8TY5fanuMnQ4fAAZgxgEyOEDFpjW7_Tk` */
  cursor?: string | null | undefined;
  /** `subtask_counts`: how many subtasks each task has, and how many are done */
  include?: Included | null | undefined;
}

/** Export tasks as a file: what null and undefined stand for is left out. */
export interface ExportQuery {
  /** `jsonl`: JSON lines; `csv`: comma-separated values; `ics`: iCalendar */
  format?: FileFormat | null | undefined;
  /** Only the tasks in this list, or those in none (`inbox`). Example: `0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f` */
  list_id?: string | null | undefined;
  /** `true`: begin the CSV with a byte order mark, without which Excel does not read it as UTF-8 */
  bom?: boolean | null | undefined;
}

/** List what was changed: what null and undefined stand for is left out. */
export interface ActivityQuery {
  /** Only events of this kind of change */
  verb?: Verb | null | undefined;
  /** Maximum number of events to return */
  limit?: number | null | undefined;
  /** `page.next_cursor` of the previous page, with the same filters. Example: `AAAAAAAAAAABl8Hwejt8TY5fanuMnQ4fAAZgxgEyOEDFpjW7_Tk` */
  cursor?: string | null | undefined;
  /** Only events of tasks, of labels or of lists */
  kind?: EventKind | null | undefined;
}

/** A task, as its owner sees it. */
export interface Task {
  /** The task's id */
  id: string;
  /** The owner's user id: the `sub` of your token */
  user_id: string;
  /** What to do */
  title: string;
  /** More about the task */
  description: string | null;
  /** Whether the task is done */
  completed: boolean;
  /** When it was completed (UTC); null while it is open */
  completed_at: string | null;
  /** When it was created (UTC) */
  created_at: string;
  /** When it last changed (UTC) */
  updated_at: string;
  /** The number of the task's last change; also its ETag */
  revision: number;
  /** How far the task is; `done` exactly if it is completed, so setting either sets both */
  status: Status;
  /** The calendar day on which it is due, or null; setting it clears `due_at` */
  due_date: string | null;
  /** When it is due, if at a certain time (answered in UTC), or null; setting it clears `due_date` */
  due_at: string | null;
  /** The calendar day on which to start, or null; setting it clears `start_at` */
  start_date: string | null;
  /** When to start, if at a certain time (answered in UTC), or null; setting it clears `start_date` */
  start_at: string | null;
  /** The IANA name of the zone in which `due_at` and `start_at` were meant, or null */
  timezone: string | null;
  /** How much it matters; null if nobody has said */
  priority: Priority | null;
  /** The names of the task's labels. Names that differ only in case, in white space or in what cannot be seen are the same label: the first one counts, and one that you already have keeps its spelling. A new name makes a new label */
  labels: string[];
  /** The id of the list it is in, or null for the inbox */
  list_id: string | null;
  /** Where it stands in its list: tasks sorted by this text, byte by byte, and then by `id` are in the order that you have arranged. `POST /api/tasks/{task_id}/move` sets it. A task that comes into a list without one is its last. From `q` on, one after all of yours means the end, and you get the position that it is given */
  position: string;
  /** The id of the task that it is a subtask of, or null. A subtask is in the list of its parent. There can be 5 levels of tasks, and 1,000 tasks below one */
  parent_id: string | null;
  /** When it was deleted (UTC); only for tasks in the trash */
  deleted_at?: string;
  /** How many subtasks it has, and how many of them are done; only with `include=subtask_counts` */
  subtask_counts?: SubtaskCounts;
}

/** A new task. */
export interface NewTask {
  /** What to do: 1 to 500 characters after surrounding white space is removed */
  title: string;
  /** More about the task: up to 10,000 characters, or null */
  description?: string | null | undefined;
  /** Whether the task is done */
  completed?: boolean | undefined;
  /** How far the task is; `done` exactly if it is completed, so setting either sets both */
  status?: Status | undefined;
  /** The calendar day on which it is due, or null; setting it clears `due_at` */
  due_date?: string | null | undefined;
  /** When it is due, if at a certain time (answered in UTC), or null; setting it clears `due_date` */
  due_at?: string | null | undefined;
  /** The calendar day on which to start, or null; setting it clears `start_at` */
  start_date?: string | null | undefined;
  /** When to start, if at a certain time (answered in UTC), or null; setting it clears `start_date` */
  start_at?: string | null | undefined;
  /** The IANA name of the zone in which `due_at` and `start_at` were meant, or null */
  timezone?: string | null | undefined;
  /** How much it matters; null if nobody has said */
  priority?: Priority | null | undefined;
  /** The names of the task's labels. Names that differ only in case, in white space or in what cannot be seen are the same label: the first one counts, and one that you already have keeps its spelling. A new name makes a new label */
  labels?: readonly string[] | undefined;
  /** The id of the list it is in, or null for the inbox */
  list_id?: string | null | undefined;
  /** Where it stands in its list: tasks sorted by this text, byte by byte, and then by `id` are in the order that you have arranged. `POST /api/tasks/{task_id}/move` sets it. A task that comes into a list without one is its last. From `q` on, one after all of yours means the end, and you get the position that it is given */
  position?: string | undefined;
  /** The id of the task that it is a subtask of, or null. A subtask is in the list of its parent. There can be 5 levels of tasks, and 1,000 tasks below one */
  parent_id?: string | null | undefined;
  /** Your own UUID for the task, so that a retry cannot create a second one; omit it to have one generated */
  id?: string | null | undefined;
}

/** The fields to change. Omitted fields keep their values. Null clears what may be null. A whole task may be sent back: the fields that only the service sets are ignored, unless `id` or `user_id` is that of another task or user. */
export interface TaskChanges {
  /** What to do: 1 to 500 characters after surrounding white space is removed */
  title?: string | undefined;
  /** More about the task: up to 10,000 characters, or null */
  description?: string | null | undefined;
  /** Whether the task is done */
  completed?: boolean | undefined;
  /** How far the task is; `done` exactly if it is completed, so setting either sets both */
  status?: Status | undefined;
  /** The calendar day on which it is due, or null; setting it clears `due_at` */
  due_date?: string | null | undefined;
  /** When it is due, if at a certain time (answered in UTC), or null; setting it clears `due_date` */
  due_at?: string | null | undefined;
  /** The calendar day on which to start, or null; setting it clears `start_at` */
  start_date?: string | null | undefined;
  /** When to start, if at a certain time (answered in UTC), or null; setting it clears `start_date` */
  start_at?: string | null | undefined;
  /** The IANA name of the zone in which `due_at` and `start_at` were meant, or null */
  timezone?: string | null | undefined;
  /** How much it matters; null if nobody has said */
  priority?: Priority | null | undefined;
  /** The names of the task's labels. Names that differ only in case, in white space or in what cannot be seen are the same label: the first one counts, and one that you already have keeps its spelling. A new name makes a new label */
  labels?: readonly string[] | undefined;
  /** The id of the list it is in, or null for the inbox */
  list_id?: string | null | undefined;
  /** Where it stands in its list: tasks sorted by this text, byte by byte, and then by `id` are in the order that you have arranged. `POST /api/tasks/{task_id}/move` sets it. A task that comes into a list without one is its last. From `q` on, one after all of yours means the end, and you get the position that it is given */
  position?: string | undefined;
  /** The id of the task that it is a subtask of, or null. A subtask is in the list of its parent. There can be 5 levels of tasks, and 1,000 tasks below one */
  parent_id?: string | null | undefined;
}

/** Where this page ends. */
export interface Page {
  /** The maximum number of tasks on this page */
  limit: number;
  /** Whether more tasks follow */
  has_more: boolean;
  /** Send it as `cursor` for the next page; null on the last */
  next_cursor: string | null;
  /** Send it as `since` to `GET /api/changes` to get what has changed after this page was read */
  since: string;
  /** The number of tasks on all pages; only with `include_total=true` */
  total?: number;
  /** How many tasks there are of each status; only with `include_counts=true` */
  counts?: StatusCounts;
}

/** Where a task is to stand, in which list, and under which task. */
export interface TaskPlace {
  /** The id of the one to stand directly before, or null */
  before?: string | null | undefined;
  /** The id of the one to stand directly after, or null */
  after?: string | null | undefined;
  /** The id of the list to move it to, or null for the inbox; if omitted, it stays in its list */
  list_id?: string | null | undefined;
  /** The id of the task to make it a subtask of, or null for none; if omitted, it keeps its parent within its list */
  parent_id?: string | null | undefined;
}

/** A list, as its owner sees it. */
export interface List {
  /** The list's id, as tasks have it in `list_id` */
  id: string;
  /** Its name */
  name: string;
  /** Its colour as `#rrggbb`, or null */
  color: string | null;
  /** Whether it is archived: then it is hidden from your lists, but its tasks stay as they are */
  archived: boolean;
  /** When it was archived (UTC); null if it is not archived */
  archived_at: string | null;
  /** When it was created (UTC) */
  created_at: string;
  /** When it last changed (UTC) */
  updated_at: string;
  /** The number of the list's last change; also its ETag */
  revision: number;
  /** Where it stands among your lists: sorted by this text, byte by byte, and then by `id`, they are in the order that you have arranged. `POST /api/lists/{list_id}/move` sets it. A new list comes last. From `q` on, one after all of yours means the end, and you get the position that it is given */
  position: string;
  /** When it was deleted (UTC); only for lists in the trash */
  deleted_at?: string;
  /** How many tasks of each status it holds, without those in the trash; only with `include_counts=true` */
  counts?: StatusCounts;
}

/** A new list. */
export interface NewList {
  /** Its name: 1 to 200 characters after surrounding white space is removed. Several lists may have the same */
  name: string;
  /** Its colour as `#rrggbb`, or null */
  color?: string | null | undefined;
  /** Whether it is archived: then it is hidden from your lists, but its tasks stay as they are */
  archived?: boolean | undefined;
  /** Where it stands among your lists: sorted by this text, byte by byte, and then by `id`, they are in the order that you have arranged. `POST /api/lists/{list_id}/move` sets it. A new list comes last. From `q` on, one after all of yours means the end, and you get the position that it is given */
  position?: string | undefined;
  /** Your own UUID for the list, so that a retry cannot create a second one; omit it to have one generated */
  id?: string | null | undefined;
}

/** The fields to change. Omitted fields keep their values; null clears the colour. A whole list may be sent back: the fields that only the service sets are ignored, unless `id` is that of another list. */
export interface ListChanges {
  /** Its name: 1 to 200 characters after surrounding white space is removed. Several lists may have the same */
  name?: string | undefined;
  /** Its colour as `#rrggbb`, or null */
  color?: string | null | undefined;
  /** Whether it is archived: then it is hidden from your lists, but its tasks stay as they are */
  archived?: boolean | undefined;
  /** Where it stands among your lists: sorted by this text, byte by byte, and then by `id`, they are in the order that you have arranged. `POST /api/lists/{list_id}/move` sets it. A new list comes last. From `q` on, one after all of yours means the end, and you get the position that it is given */
  position?: string | undefined;
}

/** Where it is to stand: directly after or before another one, or, if neither is sent, at the end. */
export interface ListPlace {
  /** The id of the one to stand directly before, or null */
  before?: string | null | undefined;
  /** The id of the one to stand directly after, or null */
  after?: string | null | undefined;
}

/** A label, as its owner sees it. */
export interface Label {
  /** The label's id; it stays when the name changes */
  id: string;
  /** Its name, as tasks have it in `labels` */
  name: string;
  /** Its colour as `#rrggbb`, or null */
  color: string | null;
  /** How many tasks carry it, without those in the trash */
  task_count: number;
  /** When it was made (UTC) */
  created_at: string;
  /** When it last changed (UTC) */
  updated_at: string;
  /** The number of its last change */
  revision: number;
}

/** A label, as the feed of changes has it. */
export interface LabelInFeed {
  /** The label's id */
  id: string;
  /** Its name, as tasks have it in `labels` */
  name: string;
  /** Its colour as `#rrggbb`, or null */
  color: string | null;
  /** When it was made (UTC) */
  created_at: string;
  /** When it last changed (UTC) */
  updated_at: string;
  /** The number of its last change */
  revision: number;
}

/** What to set on a label. What is omitted stays as it is. A whole label may be sent back: the fields that only the service sets are ignored, unless `id` or `name` is that of another label. */
export interface LabelFields {
  /** Its name, if a whole label is sent back: that of the address */
  name?: string | undefined;
  /** Its colour as `#rrggbb`, or null */
  color?: string | null | undefined;
}

/** What to change about a label. What is omitted stays as it is; null clears the colour. A whole label may be sent back: the fields that only the service sets are ignored, unless `id` is that of another label. */
export interface LabelChanges {
  /** Its name: 1 to 60 characters after surrounding white space is removed, without commas */
  name?: string | undefined;
  /** Its colour as `#rrggbb`, or null */
  color?: string | null | undefined;
}

/** A personal access token, without the token itself. */
export interface AccessToken {
  /** Identifies the token for revocation; not a secret */
  id: string;
  /** Your name for the token */
  name: string;
  /** What the token may do */
  scopes: Scope[];
  /** When it was created (UTC) */
  created_at: string;
  /** When it expires (UTC) */
  expires_at: string;
  /** When it was last used (UTC), accurate to about a minute; null if never */
  last_used_at: string | null;
  /** The list that it is limited to; null if it is for all that you have */
  list_id: string | null;
}

/** A new personal access token. */
export interface NewAccessToken {
  /** Your name for the token, such as where it is used */
  name: string;
  /** What the token may do: `tasks:read` to read tasks, labels, lists and changes, `tasks:write` to change tasks, labels or lists */
  scopes: readonly Scope[];
  /** Days until the token expires */
  expires_in_days: number;
  /** The list that the token is limited to: whoever has it sees, or changes, this list and its tasks and nothing else; without it, the token is for all that you have */
  list_id?: string | null | undefined;
}

/** A newly created personal access token, with the token itself. */
export interface CreatedAccessToken {
  /** Identifies the token for revocation; not a secret */
  id: string;
  /** Your name for the token */
  name: string;
  /** What the token may do */
  scopes: Scope[];
  /** When it was created (UTC) */
  created_at: string;
  /** When it expires (UTC) */
  expires_at: string;
  /** When it was last used (UTC), accurate to about a minute; null if never */
  last_used_at: string | null;
  /** The list that it is limited to; null if it is for all that you have */
  list_id: string | null;
  /** Send it as `Authorization: Bearer …`. It is not shown again: only its hash is stored */
  token: string;
}

/** Your account. */
export interface Account {
  /** The `sub` of your token */
  id: string;
  /** How many changes you have made; each adds one */
  revision: number;
  /** When you first stored something (UTC); null before that */
  created_at: string | null;
  /** The IANA name of the zone in which your days begin and end, or null for UTC */
  timezone: string | null;
}

/** What to change about your account. What is omitted stays as it is. A whole account may be sent back: the fields that only the service sets are ignored, unless `id` is that of another user. */
export interface AccountChanges {
  /** The IANA name of the zone in which your days begin and end, or null for UTC */
  timezone?: string | null | undefined;
}

/** The result of an import. */
export interface ImportReport {
  /** Rows that created a task, or a label or list of an account's export */
  created: number;
  /** Rows that changed one of these */
  updated: number;
  /** Rows that restored a task or list from the trash, changed or not */
  restored: number;
  /** Rows whose task, label or list already matched */
  unchanged: number;
  /** Rows that were rejected; all other processed rows are stored */
  failed: number;
  /** Rows that are stored, but not quite as the file says: see `warnings`. Each is also counted above */
  mended: number;
  /** Entries that were left out because they are not tasks, such as the events of a calendar, or because they are in the trash in an account's export */
  skipped: number;
  /** Null, unless the import stopped after 10000 rejected rows: then the line of the first row that was not processed. What came before is stored, and nothing from there on is */
  stopped_at_line: number | null;
  /** The errors of the first 1000 rejected rows, by line */
  errors: RowError[];
  /** What was not kept as the file says, by line: of each mended row, and once for all rows where something has no place in a task; at most 1000 */
  warnings: RowWarning[];
}

/** The format of a task file; also its file extension. */
export type FileFormat = "jsonl" | "csv" | "ics";

/** One thing that is wrong with the request. */
export interface Detail {
  /** Where it is wrong: a body field, or `query.` and a parameter */
  field: string;
  /** What is wrong, for programs */
  code: string;
  /** What is wrong, for people */
  message: string;
}

/** What went wrong. */
export interface ErrorBody {
  /** What went wrong, for programs: codes do not change, but more may be added */
  code: string;
  /** For people */
  message: string;
  /** Quote it when you ask for help */
  request_id: string;
  /** What is wrong with each field, if that is known */
  details: Detail[];
  /** Where the guide explains the first detail, or the error: an address without a host */
  documentation: string;
}

/** What has changed. */
export type ChangeType = "task" | "label" | "list";

/** What happens to the tasks of a list that is deleted. */
export type TasksOfDeleted = "trash" | "inbox";

/** A new account. */
export interface Registration {
  /** Your address; its case does not matter */
  email: string;
  /** Your password */
  password: string;
  /** What to call you */
  name?: string | null | undefined;
  /** The invitation for this address, where registering needs one */
  invitation?: string | null | undefined;
}

/** Who signs in. */
export interface Login {
  /** Your address; its case does not matter */
  email: string;
  /** Your password */
  password: string;
}

/** A new password. */
export interface PasswordChange {
  /** Your password as it is */
  current: string;
  /** Your new password */
  new: string;
}

/** The user who is signed in. */
export interface User {
  /** The user id, the `sub` of the access token */
  id: string;
  /** The address, as it was registered */
  email: string;
  /** What to call the user, or null */
  name: string | null;
}

/** What is on. */
export interface SignInInfo {
  /** Whether people sign in here */
  sign_in: boolean;
  /** Whether anybody may register, or only whoever is invited */
  sign_up: boolean;
  /** The `iss` of its access tokens; null if the sign-in is off */
  issuer: string | null;
  /** How long a password has to be; null if the sign-in is off */
  password: PasswordLengths | null;
}

/** What a change did to a task, a label or a list. */
export interface ActivityEvent {
  /** The number of the change: later changes have greater numbers */
  revision: number;
  /** When it was made (UTC) */
  at: string;
  /** Who made it: `user`, or `token:` and the id of a personal access token */
  actor: string;
  /** Through what: a call, an import, or a command of whoever runs the service */
  via: Via;
  /** What it changed */
  kind: EventKind;
  /** The id of the task, label or list */
  entity_id: string;
  /** What it did; `purged` is for good */
  verb: Verb;
  /** The fields that differ, as they were; null if it was not there before. When it is removed for good, its texts go from here, too */
  before: Record<string, unknown> | null;
  /** The `X-Request-ID` of the request that made it, or null */
  request_id: string | null;
}

/** Where this page ends. */
export interface ActivityPage {
  /** The maximum number of events on this page */
  limit: number;
  /** Whether more events follow */
  has_more: boolean;
  /** Send it as `cursor` for the next page; null on the last */
  next_cursor: string | null;
}

/** What an undoing did. */
export interface Undone {
  /** How many tasks, labels and lists it changed */
  changes: number;
}

/** A status to filter by, or a word for several of them. */
export type StatusWord = "todo" | "in_progress" | "done" | "cancelled" | "pending" | "completed" | "all";

/** A priority to filter by, in the order of their numbers; `none` is that of tasks without one. */
export type PriorityWord = "high" | "medium" | "low" | "none";

/** What listings are sorted by; a minus exactly reverses the order. */
export type TaskSort = "created_at" | "-created_at" | "updated_at" | "-updated_at" | "title" | "-title" | "completed_at" | "-completed_at" | "due" | "-due" | "priority" | "-priority" | "position" | "-position";

/** The direction of a sort, for clients that send it apart. */
export type SortOrder = "asc" | "desc";

/** What else a task in an answer has, if asked for. */
export type Included = "subtask_counts";

/** What a change did. */
export type Verb = "created" | "deleted" | "restored" | "completed" | "reopened" | "rescheduled" | "moved" | "updated" | "purged";

/** What an event is about. */
export type EventKind = "task" | "label" | "list";

/** How far a task is. A completed task is done, and no other is. */
export type Status = "todo" | "in_progress" | "done" | "cancelled";

/** How much a task matters. */
export type Priority = "high" | "medium" | "low";

/** How many subtasks a task has on the next level, without those in the trash. */
export interface SubtaskCounts {
  /** All of them */
  total: number;
  /** Those that are completed */
  done: number;
}

/** How many tasks there are of each status. */
export interface StatusCounts {
  /** Not begun */
  todo: number;
  /** Begun */
  in_progress: number;
  /** Completed */
  done: number;
  /** Given up */
  cancelled: number;
}

/** What a personal access token may do. */
export type Scope = "tasks:read" | "tasks:write";

/** An error in one row. */
export interface RowError {
  /** The line of the file where the row begins; in a JSON array, its number */
  line: number;
  /** The field with the error, or `row` */
  field: string;
  /** The error, for programs */
  code: string;
  /** The error, for people */
  message: string;
}

/** What an import could not keep as the file says, although it stored the row. */
export interface RowWarning {
  /** The line of the file where the row begins; in a JSON array, its number */
  line: number;
  /** The field with the error, or `row` */
  field: string;
  /** The error, for programs */
  code: string;
  /** The error, for people */
  message: string;
}

/** How long a password has to be. */
export interface PasswordLengths {
  /** The least length of a new password, in characters */
  min: number;
  /** The greatest length */
  max: number;
}

/** Through what a change was made. */
export type Via = "api" | "import" | "command";
