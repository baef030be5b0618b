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

// Swagger UI makes a link of the path, within the button that opens the operation: no key reaches one in the other.
const plainPath = (_, { React }) => ({ operationProps }) =>
  React.createElement("span", { className: "opblock-summary-path", "data-path": operationProps.get("path") },
    operationProps.get("path").split(/(?=\/)/).flatMap((part, index) => [React.createElement("wbr", { key: index }), part]));

const OF_SIGN_IN = {
  oauth_username: "Address", oauth_password: "Password", password_type: "Where the client's id is sent",
  client_id_password: "Client id (not needed)", client_secret_password: "Client secret (not needed)",
};
// What Swagger UI draws without a name, or so that the keyboard cannot scroll it.
const NAMES = [
  ["tr[data-param-name] :is(select, input:not([type=checkbox]))", (node) => node.closest("tr").dataset.paramName],
  [".opblock-section-request-body textarea", () => "Request body"],
  [".opblock-section-request-body input[type=file]", () => "A file as the request body"],
  [".examples-select select", () => "Example"],
  [".microlight", () => "Code"],
  [".auth-container :is(input, select)", (node) => OF_SIGN_IN[node.id] || "Token"],
  [".close-modal", () => "Close"],
];

function nameAll() {
  for (const [selector, name] of NAMES) {
    for (const node of document.querySelectorAll(`${selector}:not([aria-label])`)) {
      node.setAttribute("aria-label", name(node));
      if (node.matches(".microlight")) Object.assign(node, { tabIndex: 0, role: "region" });
    }
  }
  // What is said of these is not what they show.
  document.querySelectorAll(".modal-btn[aria-label]").forEach((button) => button.removeAttribute("aria-label"));
}

// Swagger UI would keep the password beside the token, where every script of this origin can read it, also after a restart.
const forgetPassword = (original) => ({ auth, token }) => original({ auth: { ...auth, password: "" }, token });

const ThisPage = (system) => ({
  components: { FilterContainer: (props) => Navigation({ React: system.React, ...props }) },
  fn: { opsFilter: operationsWith },
  statePlugins: {
    auth: { wrapActions: { authorizeOauth2: forgetPassword } },
    layout: { wrapActions: { parseDeepLinkHash: openAddressed, scrollToElement: scrollBelowFinder } },
    spec: {
      wrapActions: { changeParamByIdentity: sendNoDefault },
      wrapSelectors: { parameterWithMetaByIdentity: markOnlyMissing, validateBeforeExecute: sendUnlessMissing },
    },
  },
  wrapComponents: {
    execute: tellMissing,
    headers: foldHeaders,
    JsonSchema_array: wordsAsBoxes,
    OperationSummaryPath: plainPath,
    parameterRow: inGroups,
    RequestBody: withFileExample,
    response: foldOthers,
    responses: afterSamples,
  },
});

const dark = matchMedia("(prefers-color-scheme: dark)");
const followMode = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followMode);
followMode();

const ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  defaultModelsExpandDepth: 0,  // the list of schemas at the end is there, and folded
  displayRequestDuration: true,
  filter: true,
  operationsSorter: (one, other) => placeOf(one) - placeOf(other),
  persistAuthorization: true,
  plugins: [ThisPage],
  syntaxHighlight: { activated: false },  // its colours cannot be read on its ground
  requestInterceptor(request) {
    if (request.headers.accept === "text/event-stream") request.userFetch = fetchForAWhile;
    return request;
  },
  tryItOutEnabled: true,
});
addEventListener("hashchange", () => follow(ui.layoutActions, location.hash));
new MutationObserver(nameAll).observe(document.getElementById("swagger-ui"), { childList: true, subtree: true });
