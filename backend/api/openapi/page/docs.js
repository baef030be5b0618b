"use strict";
// Swagger UI, and what it needs to show this contract on few screens.

const LISTENED_MILLISECONDS = 3000;
const order = document.body.dataset.operations.split(" ");
const placeOf = (operation) => order.indexOf(operation.getIn(["operation", "operationId"]));

// Swagger UI shows nothing until an answer ends, and an event stream never does: show the first seconds only.
async function fetchForAWhile(url, options) {
  const response = await fetch(url, options);
  if (!response.ok) return response;
  const reader = response.body.getReader(), parts = [];
  const end = setTimeout(() => {
    parts.push("\n: this page has stopped listening; the stream goes on\n");
    reader.cancel();
  }, LISTENED_MILLISECONDS);
  for (let part; !(part = await reader.read()).done;) parts.push(part.value);
  clearTimeout(end);
  return new Response(new Blob(parts), response);
}

// Something to unfold. What is in it is drawn when it is opened, because drawing is slow.
function Folded({ React, summary, children }) {
  const [isOpen, setOpen] = React.useState(false);
  const toggle = (event) => setOpen(event.currentTarget.open);
  return React.createElement("details", { className: "folded", onToggle: toggle },
    React.createElement("summary", null, summary), isOpen && children);
}

// The expected success is shown. Each other response is one line; its example and its headers are in the fold.
const foldOthers = (Response, { React, specSelectors }) => function FoldedResponse(props) {
  const element = React.createElement;
  const isSuccess = props.code < "300" && !is201Beside(props, specSelectors);
  if (isSuccess) return element(Response, props);
  const table = element("table", { className: "responses-table" },
    element("tbody", null, element(Response, props)));
  const summary = `${props.code}  ${props.response.get("description")}`;
  return element("tr", { className: "other-response" },
    element("td", { colSpan: 3 }, element(Folded, { React, summary }, table)));
};

// A creation that was made before is answered 200.
function is201Beside({ code, specPath }, specSelectors) {
  return code === "200" && specSelectors.specJson().hasIn([...specPath.butLast(), "201"]);
}

const createdFirst = (Responses, { React }) => (props) => React.createElement(Responses, {
  ...props,
  responses: props.responses && props.responses.sortBy((_, code) => code === "201" ? "200" : code === "200" ? "201" : code),
});

const foldHeaders = (Headers, { React }) => function FoldedHeaders(props) {
  if (!props.headers || !props.headers.size) return null;
  return React.createElement(Folded, { React, summary: "Headers" }, React.createElement(Headers, props));
};

// Swagger UI's own filter knows tags only.
function Filter({ React, layoutSelectors, layoutActions }) {
  const phrase = layoutSelectors.currentFilter();
  return React.createElement("input", {
    className: "operation-filter-input",
    type: "search",
    placeholder: "Filter: delete, /api/labels, If-Match …",
    "aria-label": "Filter the operations",
    value: typeof phrase === "string" ? phrase : "",
    onChange: (event) => layoutActions.updateFilter(event.target.value),
  });
}

function operationsWith(tags, phrase) {
  const isFound = (operation) => JSON.stringify(operation).toLowerCase().includes(phrase.trim().toLowerCase());
  return tags
    .map((tag) => tag.update("operations", (operations) => operations.filter(isFound)))
    .filter((tag) => tag.get("operations").size > 0);
}

// Swagger UI takes the underscore of an operation's name for a space, and complains about it.
const openAddressed = (_, { layoutActions, layoutSelectors }) => (hash) => {
  const names = hash.replace(/^#\/?/, "").split("/").filter(Boolean);
  const keys = names.map((_, last) => layoutSelectors.isShownKeyFromUrlHashArray(names.slice(0, last + 1)));
  keys.forEach((key) => layoutActions.show(key, true));
  if (keys.length > 0) layoutActions.scrollTo(keys.at(-1));
};

// Swagger UI drops a request whose values its own checks refuse, and says nothing. Only what is missing stops a request
// here, since the address would be another; the service answers what is wrong with the rest.
const MISSING = "Required field is not provided";
const isMissing = (problem) => String(problem).includes(MISSING);
const sendUnlessMissing = (_, { getSystem }) => (_state, operation) =>
  !getSystem().specSelectors.validationErrors(operation).some(isMissing);

const tellMissing = (Execute, { React }) => function TellingExecute(props) {
  const element = React.createElement;
  const { path, method } = props;
  const missing = props.specSelectors.validationErrors([path, method]).filter(isMissing);
  const lacksBody = [...props.oas3Selectors.requestBodyErrors(path, method) ?? []].length > 0;
  const problems = [...missing, ...(lacksBody ? ["The body is missing: write it, or choose a file."] : [])];
  return element(React.Fragment, null, element(Execute, props),
    problems.length > 0 && element("p", { className: "not-sent", role: "alert" }, `Not sent. ${problems.join(" ")}`));
};

const ThisPage = (system) => ({
  components: { FilterContainer: (props) => Filter({ React: system.React, ...props }) },
  fn: { opsFilter: operationsWith },
  statePlugins: {
    layout: { wrapActions: { parseDeepLinkHash: openAddressed } },
    spec: { wrapSelectors: { validateBeforeExecute: sendUnlessMissing } },
  },
  wrapComponents: { execute: tellMissing, response: foldOthers, responses: createdFirst, headers: foldHeaders },
});

const dark = matchMedia("(prefers-color-scheme: dark)");
const followMode = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followMode);
followMode();

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  defaultModelsExpandDepth: 0,  // the list of schemas at the end is there, and folded
  displayRequestDuration: true,
  filter: true,
  operationsSorter: (one, other) => placeOf(one) - placeOf(other),
  persistAuthorization: true,
  plugins: [ThisPage],
  requestInterceptor(request) {
    if (request.headers.accept === "text/event-stream") request.userFetch = fetchForAWhile;
    return request;
  },
  tryItOutEnabled: true,
});
