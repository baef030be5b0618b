"use strict";
// Answers: the expected answer is shown, and any other is a line. Above them stand the samples of the call.

// Something to unfold. What is in it is drawn when it is opened, because drawing is slow.
function Folded({ React, summary, children }) {
  const [isOpen, setOpen] = React.useState(false);
  const toggle = (event) => setOpen(event.currentTarget.open);
  return React.createElement("details", { className: "folded", onToggle: toggle },
    React.createElement("summary", null, summary), isOpen && children);
}

// A response other than the expected success is a line; its example and its headers are in the fold.
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

const foldHeaders = (Headers, { React }) => function FoldedHeaders(props) {
  if (!props.headers || !props.headers.size) return null;
  return React.createElement(Folded, { React, summary: "Headers" }, React.createElement(Headers, props));
};

const FROM_HERE = /http:\/\/localhost:8000/g;
let chosenLanguage = 0;

function Samples({ React, samples, name }) {
  const element = React.createElement;
  const [shown, setShown] = React.useState(chosenLanguage);
  const [isCopied, setCopied] = React.useState(false);
  const tabs = React.useRef(null);
  const source = samples.getIn([shown, "source"]).replace(FROM_HERE, location.origin);
  const show = (index) => {
    chosenLanguage = index;
    setShown(index);
    setCopied(false);
  };
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: samples.size - 1 }[event.key];
    if (step === undefined) return;
    const next = (shown + step) % samples.size;
    show(next);
    tabs.current.children[next].focus();
  };
  const tab = (sample, index) => element("button", {
    key: index, type: "button", role: "tab", id: `${name}-tab-${index}`, "aria-selected": index === shown,
    "aria-controls": `${name}-sample`, tabIndex: index === shown ? 0 : -1, onClick: () => show(index),
  }, sample.get("label"));
  const copy = () => navigator.clipboard.writeText(source).then(() => setCopied(true), () => setCopied(false));
  return element("section", { className: "samples", "aria-label": "Samples" },
    element("div", { className: "bar" },
      element("div", { role: "tablist", "aria-label": "Language", ref: tabs, onKeyDown: move }, samples.map(tab).toArray()),
      element("button", { type: "button", onClick: copy }, isCopied ? "Copied" : "Copy")),
    element("pre", { role: "tabpanel", id: `${name}-sample`, "aria-labelledby": `${name}-tab-${shown}`, tabIndex: 0 },
      source));
}

// The samples, and 201 before 200, which numbers as names cannot say.
const afterSamples = (Responses, { React, specSelectors }) => function ResponsesAfterSamples(props) {
  const operation = specSelectors.specJson().getIn(["paths", props.path, props.method]);
  const place = (_, code) => code === "201" ? "200" : code === "200" ? "201" : code;
  const ordered = { ...props, responses: props.responses && props.responses.sortBy(place) };
  return React.createElement(React.Fragment, null,
    React.createElement(Samples, { React, samples: operation.get("x-codeSamples"), name: operation.get("operationId") }),
    React.createElement(Responses, ordered));
};
