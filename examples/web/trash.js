// The trash: what was deleted, and a way to bring it back.
import { copyOf, textIn } from "./words.js";

const PAGE = 50;

// `on` has restored(task), listRestored(list), said(text), failed(error).
export function makeTrash(place, tasks, on) {
  const [list, more, empty] = ["ul", ".more", ".empty"].map((each) => place.querySelector(each));
  let next = null;

  more.addEventListener("click", async () => add(await next().catch(on.failed)));
  return { show, hide };

  function hide() {
    place.hidden = true;
    list.replaceChildren();
  }

  async function show(signal) {
    place.hidden = false;
    place.ariaBusy = "true";
    try {
      const [lists, found] = await Promise.all([
        tasks.request("/api/lists?deleted=true", { signal }),
        tasks.list({ deleted: true, sort: "-updated_at", limit: PAGE }, { signal }),
      ]);
      list.replaceChildren(...lists.map((each) => itemOf(each, each.name, "List", () => bringBackList(each))));
      add(found);
    } catch (problem) {
      if (!signal.aborted) on.failed(problem);
    }
    place.ariaBusy = "false";
  }

  function add(page) {
    if (!page) return;
    next = page.next;
    list.append(...page.map((task) => itemOf(task, task.title, "", () => bringBack(task))));
    tell();
  }

  function tell() {
    more.hidden = !next;
    empty.hidden = list.childElementCount > 0;
  }

  function itemOf({ id }, name, kind, act) {
    const item = copyOf("deleted");
    item.dataset.id = id;
    item.querySelector(".name").textContent = name;
    if (kind) item.querySelector(".name").append(" ", textIn("small", kind));
    const button = item.querySelector("button");
    button.ariaLabel = `Bring back ${name}`;
    button.addEventListener("click", async () => {
      try {
        await act();
        const neighbour = item.nextElementSibling ?? item.previousElementSibling;
        item.remove();
        tell();
        (neighbour?.querySelector("button") ?? place.querySelector("h2")).focus();
      } catch (problem) {
        on.failed(problem);
      }
    });
    return item;
  }

  async function bringBack({ id }) {
    const task = await tasks.request(`/api/tasks/${id}/restore`, { method: "POST", ifMatch: "*" });
    on.restored(task);
    on.said(`“${task.title}” is back.`);
  }

  async function bringBackList({ id }) {
    const back = await tasks.request(`/api/lists/${id}/restore`, { method: "POST", ifMatch: "*" });
    on.listRestored(back);
    on.said(`The list “${back.name}” is back, with its tasks.`);
  }
}
