// task-api-client, built from clients/js of the Task API.
/** List, filter and search tasks: what null and undefined stand for is left out. */
interface Query {
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
interface ListsQuery {
    /** `true`: the archived lists instead of the others */
    archived?: boolean | null | undefined;
    /** `true`: all lists in the trash, with `deleted_at`, instead of the active ones */
    deleted?: boolean | null | undefined;
    /** `true`: also count the tasks of each status in each list, as `counts` */
    include_counts?: boolean | null | undefined;
}
/** List the subtasks of a task: what null and undefined stand for is left out. */
interface SubtasksQuery {
    /** Maximum number of tasks to return */
    limit?: number | null | undefined;
    /** `page.next_cursor` of the previous page. Example: `AAAAAAAAAAABl8Hwejt8TY5fanuMnQ4fAAZgxgEyOEDFpjW7_Tk` */
    cursor?: string | null | undefined;
    /** `subtask_counts`: how many subtasks each task has, and how many are done */
    include?: Included | null | undefined;
}
/** Export tasks as a file: what null and undefined stand for is left out. */
interface ExportQuery {
    /** `jsonl`: JSON lines; `csv`: comma-separated values; `ics`: iCalendar */
    format?: FileFormat | null | undefined;
    /** Only the tasks in this list, or those in none (`inbox`). Example: `0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f` */
    list_id?: string | null | undefined;
    /** `true`: begin the CSV with a byte order mark, without which Excel does not read it as UTF-8 */
    bom?: boolean | null | undefined;
}
/** List what was changed: what null and undefined stand for is left out. */
interface ActivityQuery {
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
interface Task {
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
interface NewTask {
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
interface TaskChanges {
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
interface Page {
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
interface TaskPlace {
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
interface List {
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
interface NewList {
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
interface ListChanges {
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
interface ListPlace {
    /** The id of the one to stand directly before, or null */
    before?: string | null | undefined;
    /** The id of the one to stand directly after, or null */
    after?: string | null | undefined;
}
/** A label, as its owner sees it. */
interface Label {
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
interface LabelInFeed {
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
interface LabelFields {
    /** Its name, if a whole label is sent back: that of the address */
    name?: string | undefined;
    /** Its colour as `#rrggbb`, or null */
    color?: string | null | undefined;
}
/** What to change about a label. What is omitted stays as it is; null clears the colour. A whole label may be sent back: the fields that only the service sets are ignored, unless `id` is that of another label. */
interface LabelChanges {
    /** Its name: 1 to 60 characters after surrounding white space is removed, without commas */
    name?: string | undefined;
    /** Its colour as `#rrggbb`, or null */
    color?: string | null | undefined;
}
/** A personal access token, without the token itself. */
interface AccessToken {
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
interface NewAccessToken {
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
interface CreatedAccessToken {
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
interface Account {
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
interface AccountChanges {
    /** The IANA name of the zone in which your days begin and end, or null for UTC */
    timezone?: string | null | undefined;
}
/** The result of an import. */
interface ImportReport {
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
type FileFormat = "jsonl" | "csv" | "ics";
/** One thing that is wrong with the request. */
interface Detail {
    /** Where it is wrong: a body field, or `query.` and a parameter */
    field: string;
    /** What is wrong, for programs */
    code: string;
    /** What is wrong, for people */
    message: string;
}
/** What went wrong. */
interface ErrorBody {
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
type ChangeType = "task" | "label" | "list";
/** What happens to the tasks of a list that is deleted. */
type TasksOfDeleted = "trash" | "inbox";
/** A new account. */
interface Registration {
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
interface Login {
    /** Your address; its case does not matter */
    email: string;
    /** Your password */
    password: string;
}
/** A new password. */
interface PasswordChange {
    /** Your password as it is */
    current: string;
    /** Your new password */
    new: string;
}
/** The user who is signed in. */
interface User {
    /** The user id, the `sub` of the access token */
    id: string;
    /** The address, as it was registered */
    email: string;
    /** What to call the user, or null */
    name: string | null;
}
/** What is on. */
interface SignInInfo {
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
interface ActivityEvent {
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
interface ActivityPage {
    /** The maximum number of events on this page */
    limit: number;
    /** Whether more events follow */
    has_more: boolean;
    /** Send it as `cursor` for the next page; null on the last */
    next_cursor: string | null;
}
/** What an undoing did. */
interface Undone {
    /** How many tasks, labels and lists it changed */
    changes: number;
}
/** A status to filter by, or a word for several of them. */
type StatusWord = "todo" | "in_progress" | "done" | "cancelled" | "pending" | "completed" | "all";
/** A priority to filter by, in the order of their numbers; `none` is that of tasks without one. */
type PriorityWord = "high" | "medium" | "low" | "none";
/** What listings are sorted by; a minus exactly reverses the order. */
type TaskSort = "created_at" | "-created_at" | "updated_at" | "-updated_at" | "title" | "-title" | "completed_at" | "-completed_at" | "due" | "-due" | "priority" | "-priority" | "position" | "-position";
/** The direction of a sort, for clients that send it apart. */
type SortOrder = "asc" | "desc";
/** What else a task in an answer has, if asked for. */
type Included = "subtask_counts";
/** What a change did. */
type Verb = "created" | "deleted" | "restored" | "completed" | "reopened" | "rescheduled" | "moved" | "updated" | "purged";
/** What an event is about. */
type EventKind = "task" | "label" | "list";
/** How far a task is. A completed task is done, and no other is. */
type Status = "todo" | "in_progress" | "done" | "cancelled";
/** How much a task matters. */
type Priority = "high" | "medium" | "low";
/** How many subtasks a task has on the next level, without those in the trash. */
interface SubtaskCounts {
    /** All of them */
    total: number;
    /** Those that are completed */
    done: number;
}
/** How many tasks there are of each status. */
interface StatusCounts {
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
type Scope = "tasks:read" | "tasks:write";
/** An error in one row. */
interface RowError {
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
interface RowWarning {
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
interface PasswordLengths {
    /** The least length of a new password, in characters */
    min: number;
    /** The greatest length */
    max: number;
}
/** Through what a change was made. */
type Via = "api" | "import" | "command";

interface Options {
    /** Ends the call: it then fails with the signal's reason. */
    signal?: AbortSignal | undefined;
    headers?: Record<string, string> | undefined;
}
interface ChangeOptions extends Options {
    /** What you change, as you have seen it: if it has changed since, the call fails with status 412 and has it as it is now. */
    ifMatch?: {
        revision: number;
    } | "*" | undefined;
}
interface RequestOptions extends ChangeOptions {
    method?: string | undefined;
    /** Is sent as JSON, unless you give a header Content-Type. */
    body?: unknown;
}
/** A page of tasks: plain data, to keep in a cache or to pass from a server to a browser. */
interface TaskList {
    tasks: Task[];
    page: Page;
}
/** A page of what was changed, the latest first. */
interface Activity {
    events: ActivityEvent[];
    page: ActivityPage;
}
/** All tasks that a query finds, page by page as they are read. */
interface AllTasks extends AsyncIterable<Task> {
    /** All of them in an array, but no more than `limit`, at most 10,000. */
    toArray(options: {
        limit: number;
    }): Promise<Task[]>;
}
/** Directly after or before another task, or at the end; with `list_id` in that list, null being the inbox; with
    `parent_id` under that task, null being none. */
type Place = Omit<TaskPlace, "after" | "before"> & Beside;
type Beside = {
    after?: string | undefined;
    before?: undefined;
} | {
    before?: string | undefined;
    after?: undefined;
};
/** The task that an operation is about: by its id, or by the `ref` of the earlier operation that creates it. */
type Target = ({
    id: string;
    ref?: undefined;
} | {
    ref: string;
    id?: undefined;
}) & {
    if_match?: number | string | undefined;
};
/** `parent_ref`, the `ref` of an earlier operation, stands instead of `parent_id`. */
type Operation = {
    op: "create";
    data: NewTask;
    ref?: string | undefined;
    parent_ref?: string | undefined;
} | ({
    op: "update";
    data: TaskChanges;
    parent_ref?: string | undefined;
} & Target) | ({
    op: "complete";
    data?: {
        completed: boolean;
        cascade?: boolean | undefined;
    } | undefined;
} & Target) | ({
    op: "delete" | "restore";
} & Target);
/** What came of an operation. */
interface Result {
    index: number;
    status: number;
    data?: Task;
    error?: ErrorBody;
}
/** A change: what `type` names, or its id in `deleted`. `since` is the sync token to continue from after it. */
type Change = {
    since: string;
    type: "task";
    task: Task;
    label?: undefined;
    list?: undefined;
    deleted?: undefined;
} | {
    since: string;
    type: "label";
    label: LabelInFeed;
    task?: undefined;
    list?: undefined;
    deleted?: undefined;
} | {
    since: string;
    type: "list";
    list: List;
    task?: undefined;
    label?: undefined;
    deleted?: undefined;
} | {
    since: string;
    type: ChangeType;
    deleted: string;
    task?: undefined;
    label?: undefined;
    list?: undefined;
};
interface ChangesOptions {
    /** Where to continue: `since` of the last change that you have, or of a page; "now" for new changes only. */
    since?: string | undefined;
    signal?: AbortSignal | undefined;
    /** What is followed: tasks, or `["task", "label", "list"]`. Stay with them as long as you go on from a `since`. */
    types?: string | readonly ChangeType[] | undefined;
    /** Ask every so many milliseconds instead of keeping a stream open. By default only where fetch has no streams. */
    pollEvery?: number | undefined;
}
interface SubscribeOptions extends ChangesOptions {
    /** Gets what ends the subscription, such as a TaskApiError 410. Without it, that is an unhandled rejection. */
    onError?: ((problem: unknown) => void) | undefined;
}
interface ExportOptions extends Options, ExportQuery {
}
interface Lists {
    list(query?: ListsQuery, options?: Options): Promise<List[]>;
    get(id: string, options?: Options): Promise<List>;
    create(fields: NewList, options?: Options): Promise<List>;
    update(id: string, changes: ListChanges, options?: ChangeOptions): Promise<List>;
    /** Into the trash, with its tasks, unless `tasks: "inbox"` keeps these. */
    remove(id: string, options?: ChangeOptions & {
        tasks?: TasksOfDeleted | undefined;
        permanent?: boolean | undefined;
    }): Promise<void>;
    restore(id: string, options?: ChangeOptions): Promise<List>;
    move(id: string, place?: ListPlace, options?: ChangeOptions): Promise<List>;
}
interface Labels {
    list(options?: Options): Promise<Label[]>;
    /** Makes the label of this name, or gives it these fields. */
    put(name: string, fields?: LabelFields, options?: Options): Promise<Label>;
    update(name: string, changes: LabelChanges, options?: Options): Promise<Label>;
    /** Takes it off all tasks, too. */
    remove(name: string, options?: Options): Promise<void>;
}
interface AccessTokens {
    list(options?: Options): Promise<AccessToken[]>;
    /** The answer is the only one that has the `token`. */
    create(fields: NewAccessToken, options?: Options): Promise<CreatedAccessToken>;
    remove(id: string, options?: Options): Promise<void>;
}
interface Accounts {
    get(options?: Options): Promise<Account>;
    update(changes: AccountChanges, options?: Options): Promise<Account>;
    /** Everything that the service has of the user, as JSON lines. */
    export(options?: Options): Promise<Blob>;
    /** Erases the account and all its data; `confirm` is the user's id. */
    erase(confirm: string, options?: Options): Promise<void>;
}
/** The sign-in of the service itself, where it is on. The client keeps the session, renews it, and uses it in every call. */
interface SignIn {
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
interface TaskApi {
    /** One page of tasks; `page.next_cursor` is the `cursor` of the next page, or null. */
    list(query?: Query, options?: Options): Promise<TaskList>;
    /** All tasks, whatever the number of pages: `for await (const task of api.all({ status: "todo" }))`. */
    all(query?: Omit<Query, "cursor">, options?: Options): AllTasks;
    /** How many tasks of each status match the query. */
    counts(query?: Omit<Query, "cursor" | "limit">, options?: Options): Promise<StatusCounts>;
    get(id: string, options?: Options & {
        include?: Included | undefined;
    }): Promise<Task>;
    create(fields: NewTask, options?: Options): Promise<Task>;
    update(id: string, changes: TaskChanges, options?: ChangeOptions): Promise<Task>;
    /** With `cascade: false`, only the task itself changes, and not the tasks below and above it. */
    complete(id: string, completed?: boolean, options?: ChangeOptions & {
        cascade?: boolean | undefined;
    }): Promise<Task>;
    /** Completes an open task, and reopens a completed one. */
    toggle(id: string, options?: ChangeOptions): Promise<Task>;
    move(id: string, place?: Place, options?: ChangeOptions): Promise<Task>;
    /** Into the trash; for good with `permanent`. */
    remove(id: string, options?: ChangeOptions & {
        permanent?: boolean | undefined;
    }): Promise<void>;
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
    batch(operations: readonly Operation[], options?: Options & {
        atomic?: boolean | undefined;
    }): Promise<Result[]>;
    /** The changes after `since`, then new changes as they happen, until `signal` is aborted or the loop is left. Store its `since`
        with your copy, to continue from there another day. After error 410, drop the copy and start without `since`. */
    changes(options?: ChangesOptions): AsyncGenerator<Change, void, void>;
    /** Calls back with each change, in order; returns what ends it. */
    subscribe(callback: (change: Change) => unknown, options?: SubscribeOptions): () => void;
    /** `type` is that of the file: application/jsonl, application/json, text/csv or text/calendar. A repeat changes nothing. */
    importFile(file: Blob | string, options?: Options & {
        type?: string | undefined;
    }): Promise<ImportReport>;
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
type Token = string | ((how: {
    fresh: boolean;
}) => string | Promise<string>);
/** Where a session is kept. Each method may answer at once or later. */
interface Storage {
    get(key: string): string | null | undefined | Promise<string | null | undefined>;
    set(key: string, value: string): unknown;
    remove(key: string): unknown;
}
interface ClientOptions {
    fetch?: typeof globalThis.fetch | undefined;
    /** Waits before another try. */
    wait?: ((milliseconds: number, signal?: AbortSignal) => Promise<unknown>) | undefined;
    /** Keeps the session of `auth`: by default localStorage in browsers, and elsewhere the memory of this client. */
    storage?: Storage | undefined;
}

/** What a call fails with, unless its `signal` was aborted. */
declare class TaskApiError extends Error {
    /** The status of the answer, or 0 if none came. */
    readonly status: number;
    /** What is wrong, for programs: `NOT_FOUND`, `VALIDATION_ERROR`, … */
    readonly code: string;
    /** What is wrong with which field. */
    readonly details: Detail[];
    readonly requestId: string | null;
    /** How many seconds to wait, or NaN. */
    readonly retryAfter: number;
    /** Whether an earlier try of the same call may have been carried out. */
    unsure: boolean;
    /** With status 412: the task as it is now, if it was a task that was to be changed. */
    readonly task?: Task;
    /** With status 412: the list as it is now, if it was a list. */
    readonly list?: List;
    constructor(status: number, body?: unknown, headers?: Headers, cause?: unknown);
    static [Symbol.hasInstance](value: unknown): boolean;
}

/**
 * Makes a client of the service at this address. It uses the token that you give, or asks your function for one; without
 * either, `auth` signs in at the service itself. Make a new client when another user signs in, since it keeps a token that
 * it was given.
 */
declare function taskApi(address: string, token?: Token | null, options?: ClientOptions): TaskApi;

export { TaskApiError, taskApi };
export type { AccessToken, AccessTokens, Account, AccountChanges, Accounts, Activity, ActivityEvent, ActivityPage, ActivityQuery, AllTasks, Change, ChangeOptions, ChangeType, ChangesOptions, ClientOptions, CreatedAccessToken, Detail, ErrorBody, EventKind, ExportOptions, ExportQuery, FileFormat, ImportReport, Included, Label, LabelChanges, LabelFields, LabelInFeed, Labels, List, ListChanges, ListPlace, Lists, ListsQuery, Login, NewAccessToken, NewList, NewTask, Operation, Options, Page, PasswordChange, PasswordLengths, Place, Priority, PriorityWord, Query, Registration, RequestOptions, Result, RowError, RowWarning, Scope, SignIn, SignInInfo, SortOrder, Status, StatusCounts, StatusWord, Storage, SubscribeOptions, SubtaskCounts, SubtasksQuery, Task, TaskApi, TaskChanges, TaskList, TaskPlace, TaskSort, TasksOfDeleted, Token, Undone, User, Verb, Via };
