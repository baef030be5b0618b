import type { Detail, List, Task } from "./contract.js";

const BRAND = Symbol.for("task-api-client.TaskApiError");

/** What a call fails with, unless its `signal` was aborted. */
export class TaskApiError extends Error {
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
  unsure = false;
  /** With status 412: the task as it is now, if it was a task that was to be changed. */
  readonly task?: Task;
  /** With status 412: the list as it is now, if it was a list. */
  readonly list?: List;

  constructor(status: number, body?: unknown, headers?: Headers, cause?: unknown) {
    const { error = {}, data } = (body ?? {}) as Answered; // a proxy in between does not know our errors
    super(error.message ?? `The service answered ${status}.`, { cause });
    Object.defineProperty(this, BRAND, { value: true });
    this.name = "TaskApiError";
    this.status = status;
    this.code = error.code ?? "UNKNOWN";
    this.details = error.details ?? [];
    this.requestId = error.request_id ?? headers?.get("X-Request-Id") ?? null;
    this.retryAfter = secondsOf(headers?.get("Retry-After"));
    if (status !== 412 || !data) return;
    if ("title" in data) this.task = data;
    else this.list = data;
  }

  // A program may hold two copies of this file, perhaps one as CommonJS: an error of either copy is an error of both.
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && BRAND in value;
  }
}

interface Answered {
  error?: { code?: string; message?: string; details?: Detail[]; request_id?: string };
  data?: Task | List;
}

// Retry-After is a number of seconds, or a date if a proxy says it.
function secondsOf(text: string | null | undefined): number {
  const seconds = Number(text || NaN);
  return Number.isNaN(seconds) && text ? Math.max(0, (Date.parse(text) - Date.now()) / 1000) : seconds;
}
