// What is said about how things went: the message at the foot of the page, and the strip above the tasks.
import { timeOf } from "./words.js";

// The message at the foot of the page: what was done, with a way to undo it, or what went wrong.
const UNDO_MS = 10_000;
const READ_MS = 5_000;

// `home` returns what gets the focus when the message that has it goes away.
export function makeNotices(message, home) {
  const [words, button, close] = ["[role=status]", ".undo", ".close"].map((each) => message.querySelector(each));
  let before = null; // where the focus was before it came to the message
  let timer = null;
  let undo = null;

  message.addEventListener("focusin", ({ relatedTarget }) => {
    if (!message.contains(relatedTarget)) before = relatedTarget;
    clearTimeout(timer);
  });
  message.addEventListener("focusout", begin);
  message.addEventListener("pointerenter", () => clearTimeout(timer)); // nobody has to hurry
  message.addEventListener("pointerleave", begin);
  close.addEventListener("click", () => say(""));
  button.addEventListener("click", takeBack);
  return { say, fail, takeBack, stands: () => message.className === "problem" };

  // With `undo`, an async function, the message has a button for it; `focus` leads the focus there.
  function say(text, { undo: how = null, focus = false } = {}) {
    const hadFocus = message.contains(document.activeElement); // on a button that may be hidden now
    message.className = "";
    words.textContent = text;
    close.hidden = !text;
    undo = how;
    button.hidden = !undo;
    begin();
    if (focus) button.focus();
    else if (hadFocus) (before?.isConnected && before.checkVisibility() ? before : home()).focus();
  }

  function fail(text) {
    say(text);
    message.className = "problem";
    clearTimeout(timer); // an error stands until something else is done
  }

  function begin() {
    clearTimeout(timer);
    const isLookedAt = message.matches(":hover") || message.contains(document.activeElement);
    if (!words.textContent || message.className === "problem" || isLookedAt) return;
    timer = setTimeout(() => say(""), undo ? UNDO_MS : READ_MS);
  }

  // Undoes what was done last, as long as the message offers it.
  async function takeBack() {
    const how = undo;
    if (!how) return;
    const said = words.textContent;
    undo = null;
    await how();
    if (words.textContent === said && !undo) say(""); // else there is something new to say
  }
}

// Notices whether the service can be reached, and says so in the strip above the tasks, with a button that tries again.
// The client of task-api.js is given its `fetch` and its `wait`.

const WORTH_SAYING_MS = 1000; // shorter waits are not felt
const AWAY = [502, 503, 504];

// `on` has found(), which is told that the service answers again, again(), when the user wants to try, and a signal that
// ends it.
export function makeConnection(strip, on) {
  const [words, why, rest, button] = ["span", "b", ".rest", "button"].map((each) => strip.querySelector(each));
  const waits = new Set(); // what is being waited for: until when, and how to stop waiting
  let last = new Date(); // when the service was reached last
  let trouble = null; // null, "offline", "away", or "limited"
  let ticking = null;

  button.addEventListener("click", tryNow);
  addEventListener("online", tryNow, { signal: on.signal });
  addEventListener("offline", () => missed("offline"), { signal: on.signal });
  on.signal.addEventListener("abort", () => clearInterval(ticking));
  return { fetch, wait, tryNow };

  async function fetch(address, options) {
    try {
      const answer = await globalThis.fetch(address, options);
      if (answer.status === 429) missed("limited");
      else if (AWAY.includes(answer.status)) missed("away");
      else reached();
      return answer;
    } catch (problem) {
      if (!options?.signal?.aborted) missed("offline");
      throw problem;
    }
  }

  // Resolves after some time, or when the user wants to try now.
  function wait(milliseconds, signal) {
    return new Promise((resume) => {
      const each = { until: Date.now() + milliseconds, stop };
      const timer = setTimeout(stop, milliseconds);
      function stop() {
        clearTimeout(timer);
        waits.delete(each);
        resume();
      }
      if (milliseconds >= WORTH_SAYING_MS || trouble) waits.add(each);
      signal?.addEventListener("abort", stop);
      tell();
    });
  }

  function reached() {
    last = new Date();
    if (!trouble) return;
    trouble = null;
    tell();
    on.found();
  }

  function missed(kind) {
    trouble = kind;
    tell();
  }

  function tryNow() {
    for (const each of [...waits]) each.stop();
    if (trouble) on.again();
  }

  function tell() {
    clearInterval(ticking);
    strip.hidden = !trouble;
    if (!trouble) return;
    count();
    ticking = setInterval(count, 1000);
  }

  // Screen readers are told what is wrong once, not each second: the countdown is hidden from them.
  function count() {
    const said = {
      offline: ["No connection.", ` This is how it was at ${timeOf(last)}. What you type is kept.`],
      away: ["The service does not answer.", ` This is how it was at ${timeOf(last)}. What you type is kept.`],
      limited: ["Too many requests.", " What you did is kept."],
    }[trouble];
    if (why.textContent !== said[0]) [why.textContent, words.querySelector(".what").textContent] = said;
    const next = Math.min(...[...waits].map((each) => each.until));
    const seconds = Math.ceil((next - Date.now()) / 1000);
    rest.textContent = seconds > 0 && Number.isFinite(seconds) ? ` Trying again in ${seconds} s.` : "";
  }
}
