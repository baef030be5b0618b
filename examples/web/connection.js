// Notices whether the service can be reached, and says so in the strip above the tasks, with a button that tries again.
// The client of task-api.js is given its `fetch` and its `wait`.
import { timeOf } from "./words.js";

const WORTH_SAYING_MS = 1000; // shorter waits are not felt
const AWAY = [502, 503, 504];
const SAID = { offline: "No connection.", away: "The service does not answer.", limited: "Too many requests." };

export class Connection {
  // `on` has found(), which is told that the service answers again, again(), when the user wants to try, and a signal that
  // ends it.
  constructor(strip, on) {
    Object.assign(this, { strip, on });
    [this.why, this.what, this.rest, this.button] = ["b", ".what", ".rest", "button"].map((each) => strip.querySelector(each));
    this.waits = new Set(); // what is being waited for: until when, and how to stop waiting
    this.unsaved = new Set(); // what is on its way to the service: each with its name
    this.last = new Date(); // when the service was reached last
    this.trouble = null; // a key of SAID
    this.ticking = null;
    const { signal } = on;
    this.button.addEventListener("click", () => this.tryNow());
    addEventListener("online", () => this.tryNow(), { signal });
    addEventListener("offline", () => this.missed("offline"), { signal });
    signal.addEventListener("abort", () => clearInterval(this.ticking));
  }

  async fetch(address, options) {
    try {
      const answer = await globalThis.fetch(address, options);
      if (answer.status === 429) this.missed("limited");
      else if (AWAY.includes(answer.status)) this.missed("away");
      else this.reached();
      return answer;
    } catch (problem) {
      if (!options?.signal?.aborted) this.missed("offline");
      throw problem;
    }
  }

  // Resolves after some time, or when the user wants to try now.
  wait(milliseconds, signal) {
    return new Promise((resume) => {
      const each = { until: Date.now() + milliseconds };
      const timer = setTimeout(() => each.stop(), milliseconds);
      each.stop = () => {
        clearTimeout(timer);
        this.waits.delete(each);
        resume();
      };
      if (milliseconds >= WORTH_SAYING_MS || this.trouble) this.waits.add(each);
      signal?.addEventListener("abort", each.stop);
      this.tell();
    });
  }

  // What is saved has a name as long as the service has not answered, for those who wait for it.
  async saving(name, work) {
    const each = { name };
    this.unsaved.add(each);
    try {
      return await work;
    } finally {
      this.unsaved.delete(each);
    }
  }

  reached() {
    this.last = new Date();
    const isWaitedFor = this.trouble === "limited" && this.waits.size > 0; // others got through
    if (!this.trouble || isWaitedFor) return;
    this.trouble = null;
    this.stopWaiting();
    this.tell();
    this.on.found();
  }

  missed(kind) {
    this.trouble = kind;
    this.tell();
  }

  tryNow() {
    this.stopWaiting();
    if (this.trouble) this.on.again();
  }

  stopWaiting() {
    for (const each of [...this.waits]) each.stop();
  }

  tell() {
    clearInterval(this.ticking);
    this.strip.hidden = !this.trouble;
    if (!this.trouble) return;
    this.count();
    this.ticking = setInterval(() => this.count(), 1000);
  }

  // Screen readers are told what is wrong once, not each second: the countdown is hidden from them.
  count() {
    const isLimited = this.trouble === "limited";
    const kept = isLimited ? "" : ` This is how it was at ${timeOf(this.last)}. What you type is kept.`;
    this.show(this.why, SAID[this.trouble]);
    this.show(this.what, kept);
    this.show(this.button, isLimited ? "Try now" : "Try again");
    const next = Math.min(...[...this.waits].map((each) => each.until));
    const seconds = Math.ceil((next - Date.now()) / 1000);
    this.rest.textContent = seconds > 0 && Number.isFinite(seconds) ? ` ${this.promise(`in ${seconds} s`)}` : "";
  }

  promise(soon) {
    const [first, ...others] = [...this.unsaved];
    if (!first) return `Trying again ${soon}.`;
    return `“${first.name}”${others.length > 0 ? ` and ${others.length} more` : ""} will be saved ${soon}.`;
  }

  show(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }
}
