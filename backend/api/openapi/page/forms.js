"use strict";
// Forms: parameters in groups, words to choose from, and what is missing before a request can go out.

const groups = { open: new Set(), rows: new Set() };

// A group is open or closed for all of its rows, and only these are drawn again.
function useGroup(React, key) {
  const [, redraw] = React.useReducer((times) => times + 1, 0);
  React.useEffect(() => {
    groups.rows.add(redraw);
    return () => groups.rows.delete(redraw);
  }, []);
  const toggle = () => {
    if (!groups.open.delete(key)) groups.open.add(key);
    groups.rows.forEach((draw) => draw());
  };
  return [groups.open.has(key), toggle];
}

const inGroups = (ParameterRow, { React }) => function GroupedRow(props) {
  const element = React.createElement;
  const group = props.rawParam.get("x-group");
  const key = [...props.pathMethod, group].join(" ");
  const [isOpen, toggle] = useGroup(React, key);
  if (!group) return element(ParameterRow, props);
  const all = props.specSelectors.specJson().getIn(["paths", ...props.pathMethod, "parameters"]);
  const names = all.filter((parameter) => parameter.get("x-group") === group).map((parameter) => parameter.get("name"));
  const heading = names.first() === props.rawParam.get("name") && element("tr", { className: "group" },
    element("td", { colSpan: 2 },
      element("button", { type: "button", "aria-expanded": isOpen, onClick: toggle },
        element("strong", null, group), " ", element("span", null, names.join(", ")))));
  return element(React.Fragment, null, heading, isOpen && element(ParameterRow, props));
};

// Swagger UI fills in every default, and sends it: a call has only what somebody has filled in.
const sendNoDefault = (change, { getSystem }) => (pathMethod, parameter, value, isXml) => {
  const preset = parameter.getIn(["schema", "default"]);
  const known = getSystem().specSelectors.parameterWithMetaByIdentity(pathMethod, parameter);
  const isPreset = preset !== undefined && String(value) === String(preset) && known.get("value") === undefined;
  return change(pathMethod, parameter, isPreset ? "" : value, isXml);
};

const wordsAsBoxes = (Original, { React }) => function Words(props) {
  const element = React.createElement;
  const words = props.schema.getIn(["items", "enum"]);
  if (!words) return element(Original, props);
  const chosen = new Set(props.value || []);
  const choose = (word) => (event) => {
    chosen[event.target.checked ? "add" : "delete"](word);
    props.onChange(words.filter((each) => chosen.has(each)).toArray());
  };
  return element("div", { className: "words", role: "group", "aria-label": props.description },
    words.map((word) => element("label", { key: word },
      element("input", { type: "checkbox", checked: chosen.has(word), disabled: props.disabled, onChange: choose(word) }),
      ` ${word}`)).toArray());
};

const ENDINGS = { csv: "text/csv", ics: "text/calendar", json: "application/json", jsonl: "application/jsonl" };

// Beside the choice of a file, Swagger UI shows neither what is to be in it nor an example. The name of the file chosen
// says of which type it is.
const withFileExample = (RequestBody, { React, getSystem }) => function BodyWithExample(props) {
  const element = React.createElement;
  const content = props.requestBody.getIn(["content", props.contentType]);
  if (!content || content.getIn(["schema", "format"]) !== "binary") return element(RequestBody, props);
  const choose = (file) => {
    const value = ENDINGS[String(file?.name).split(".").pop().toLowerCase()];
    if (value) getSystem().oas3Actions.setRequestContentType({ value, pathMethod: props.specPath.slice(1, 3).toArray() });
    props.onChange(file);
  };
  return element(React.Fragment, null,
    element("p", { className: "body-description" }, props.requestBody.get("description").replaceAll("`", "")),
    element(RequestBody, { ...props, onChange: choose }),
    element("div", { className: "body-example" },
      element(Folded, { React, summary: `An example of ${props.contentType}` },
        element("pre", { tabIndex: 0, role: "region", "aria-label": "Example" }, content.get("example")))));
};

// Swagger UI drops a request whose values its own checks refuse, and says nothing. Only what is missing stops a request
// here, since the address would be another; the service answers what is wrong with the rest.
const MISSING = "Required field is not provided";
const isMissing = (problem) => String(problem).includes(MISSING);
const sendUnlessMissing = (_, { getSystem }) => (_state, operation) =>
  !getSystem().specSelectors.validationErrors(operation).some(isMissing);

// Those checks also mark a field: a choice between true and false in which nothing is chosen is "not a boolean".
const markOnlyMissing = (parameterWithMeta) => (_state, ...of) =>
  parameterWithMeta(...of)?.update("errors", (problems) => problems?.filter(isMissing));

const tellMissing = (Execute, { React }) => function TellingExecute(props) {
  const element = React.createElement;
  const { path, method } = props;
  const missing = props.specSelectors.validationErrors([path, method]).filter(isMissing);
  const lacksBody = [...props.oas3Selectors.requestBodyErrors(path, method) ?? []].length > 0;
  const problems = [...missing, ...(lacksBody ? ["The body is missing: write it, or choose a file."] : [])];
  return element(React.Fragment, null, element(Execute, props),
    problems.length > 0 && element("p", { className: "not-sent", role: "alert" }, `Not sent. ${problems.join(" ")}`));
};
