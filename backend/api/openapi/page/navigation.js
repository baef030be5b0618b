"use strict";
// Finding an operation: a filter that knows all words of the contract, a list at the side, and a choice on phones.

// Where all the words stand: in the name of an operation they count more than in the rest of what is said of it.
function rank(tag, operation, words) {
  const path = operation.get("path"), summary = operation.getIn(["operation", "summary"]);
  const stand = (text) => words.every((word) => text.toLowerCase().includes(word));
  if (words.length === 1 && (path.endsWith(words[0]) || tag === words[0] || tag === `${words[0]}s`)) return 0;
  if (stand([path, summary, operation.get("id")].join(" "))) return 1;
  return stand(JSON.stringify(operation.deleteIn(["operation", "x-codeSamples"]))) ? 2 : Infinity;
}

function operationsWith(tags, phrase) {
  const words = phrase.trim().toLowerCase().split(/\s+/);
  const best = (tag, name) => tag.get("operations").map((operation) => rank(name, operation, words)).min();
  return tags
    .map((tag, name) => tag.update("operations", (operations) => operations
      .filter((operation) => rank(name, operation, words) < Infinity)
      .sortBy((operation) => rank(name, operation, words))))
    .filter((tag) => tag.get("operations").size > 0)
    .sortBy(best);
}

const addressOf = (tag, operation) => `#/${tag}/${operation.getIn(["operation", "operationId"])}`;

// Swagger UI takes the underscore of an operation's name for a space, and complains about it.
const openAddressed = (_, { layoutActions, layoutSelectors }) => (hash) => {
  const names = hash.replace(/^#\/?/, "").split("/").filter(Boolean);
  const keys = names.map((_, last) => layoutSelectors.isShownKeyFromUrlHashArray(names.slice(0, last + 1)));
  keys.forEach((key) => layoutActions.show(key, true));
  if (keys.length > 0) layoutActions.scrollTo(keys.at(-1));
};

// Swagger UI's own scrolling hides the heading of an operation behind the filter, which stays.
const scrollBelowFinder = () => (around) => around.querySelector(".opblock, .opblock-tag").scrollIntoView();

// Swagger UI scrolls only when it starts. The keyboard goes on where the eye is.
function follow(layoutActions, address) {
  layoutActions.parseDeepLinkHash(address);
  const [tag, name] = address.slice(2).split("/");
  requestAnimationFrame(() => {
    const block = document.getElementById(`operations-${tag}-${name}`);
    block?.scrollIntoView();
    block?.querySelector("button").focus({ preventScroll: true });
  });
}

function SideBar({ React, tags, layoutActions }) {
  const element = React.createElement;
  const link = (tag) => (operation) => {
    const address = addressOf(tag, operation), method = operation.get("method");
    return element("li", { key: address },
      element("a", {
        href: address,
        "aria-current": location.hash === address ? "true" : undefined,
        onClick: () => follow(layoutActions, address),
      },
      element("span", { className: `method ${method}` }, method === "delete" ? "DEL" : method.toUpperCase()), " ",
      operation.getIn(["operation", "summary"])));
  };
  return element("nav", { className: "side-bar", "aria-label": "Operations" },
    element("a", { className: "guide", href: "/docs/guide/" }, "Guide"),
    tags.map((tag, name) => element("section", { key: name },
      element("h2", null, name),
      element("ul", null, tag.get("operations").map(link(name)).toArray()))).valueSeq().toArray());
}

function JumpTo({ React, tags, layoutActions }) {
  const element = React.createElement;
  const jump = (event) => {
    if (!event.target.value) return;
    location.hash = event.target.value;
    follow(layoutActions, event.target.value);
  };
  const option = (tag) => (operation) => element("option", { key: operation.get("id"), value: addressOf(tag, operation) },
    operation.getIn(["operation", "summary"]));
  return element("select", { className: "jump-to", "aria-label": "Jump to an operation", value: "", onChange: jump },
    element("option", { value: "" }, "Jump to …"),
    tags.map((tag, name) => element("optgroup", { key: name, label: name },
      tag.get("operations").map(option(name)).toArray())).valueSeq().toArray());
}

// In place of Swagger UI's own filter, which knows tags only.
function Navigation({ React, specSelectors, layoutSelectors, layoutActions }) {
  const element = React.createElement;
  const filter = layoutSelectors.currentFilter();
  const phrase = typeof filter === "string" ? filter : "";
  const all = specSelectors.taggedOperations();
  const tags = phrase.trim() ? operationsWith(all, phrase) : all;
  const shared = { React, tags, layoutActions };
  return element("div", { className: "finder" },
    element("input", {
      className: "operation-filter-input",
      type: "search",
      placeholder: "Filter: delete, /api/labels, If-Match …",
      "aria-label": "Filter the operations",
      value: phrase,
      onChange: (event) => layoutActions.updateFilter(event.target.value),
    }),
    element(JumpTo, shared), element(SideBar, shared),
    tags.size === 0 && element("p", { role: "status" }, "No operation has these words."));
}
