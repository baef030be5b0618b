// Writes src/contract.ts from the service's OpenAPI document: node scripts/types.mjs openapi.json > src/contract.ts
// What a caller sends has `?: T | undefined`, so that `{ due_date: form.due || undefined }` compiles in every strictness.
import { readFileSync } from "node:fs";

const { components, paths } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { schemas } = components;

// The schemas that the client names, and their names here. What these refer to follows.
const NAMES = {
  TaskPublic: "Task", TaskCreate: "NewTask", TaskUpdate: "TaskChanges", PageInfo: "Page", TaskMove: "TaskPlace",
  ListPublic: "List", ListCreate: "NewList", ListUpdate: "ListChanges", Move: "ListPlace",
  LabelPublic: "Label", LabelInFeed: "LabelInFeed", LabelPut: "LabelFields", LabelUpdate: "LabelChanges",
  AccessTokenPublic: "AccessToken", AccessTokenCreate: "NewAccessToken", NewAccessToken: "CreatedAccessToken",
  Account: "Account", AccountUpdate: "AccountChanges", ImportReport: "ImportReport", FileFormat: "FileFormat",
  ErrorDetail: "Detail", ErrorBody: "ErrorBody", ChangeType: "ChangeType", TasksOfDeleted: "TasksOfDeleted",
  Registration: "Registration", Login: "Login", PasswordChange: "PasswordChange", SignedInUser: "User", SignInInfo: "SignInInfo",
  EventPublic: "ActivityEvent", ActivityPageInfo: "ActivityPage", Undone: "Undone",
};
const QUERIES = {
  Query: "/api/tasks", ListsQuery: "/api/lists", SubtasksQuery: "/api/tasks/{task_id}/subtasks",
  ExportQuery: "/api/tasks/export", ActivityQuery: "/api/activity",
};
const COMMA_SEPARATED = ["labels", "uuids"]; // formats
const wanted = new Set(Object.keys(NAMES));

const nameOf = (reference) => {
  const name = reference.split("/").pop();
  wanted.add(name);
  return NAMES[name] ?? name;
};

function typeOf(schema, isInput) {
  if (schema.$ref) return nameOf(schema.$ref);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map((choice) => typeOf(choice, isInput)).join(" | ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.type === "array") return arrayOf(typeOf(schema.items, isInput), isInput);
  const type = {
    integer: "number", number: "number", boolean: "boolean", string: "string", null: "null", object: "Record<string, unknown>",
  }[schema.type];
  if (!type) throw new Error(`There is no type for ${JSON.stringify(schema)}`);
  return type;
}

const arrayOf = (item, isInput) => `${isInput ? "readonly " : ""}${item.includes(" ") ? `(${item})` : item}[]`;
const comment = (text, indent) => (text ? `${indent}/** ${text.replace(/\s+/g, " ").replaceAll("*/", "* /")} */\n` : "");

function property(name, schema, { isRequired, isInput }) {
  const type = typeOf(schema, isInput);
  const mark = isRequired ? `: ${type}` : `?: ${type}${isInput ? " | undefined" : ""}`;
  return `${comment(schema.description, "  ")}  ${name}${mark};\n`;
}

function declaration(name, schema) {
  const head = `${comment(schema.description, "")}export `;
  if (!schema.properties) return `${head}type ${NAMES[name] ?? name} = ${typeOf(schema)};\n`;
  const isInput = schema.additionalProperties === false;
  const lines = Object.entries(schema.properties).map(([key, value]) =>
    property(key, value, { isRequired: schema.required?.includes(key), isInput }));
  return `${head}interface ${NAMES[name] ?? name} {\n${lines.join("")}}\n`;
}

function parameter({ name, schema, description }) {
  const type = typeOf(schema, true);
  const several = COMMA_SEPARATED.includes(schema.format) ? ["readonly string[]"] : [];
  if (schema.type === "array") several.push(typeOf(schema.items, true));
  return `${comment(description, "  ")}  ${name}?: ${[type, ...several].join(" | ")} | null | undefined;\n`;
}

function query(name, path) {
  const { parameters, summary } = paths[path].get;
  const lines = parameters.filter((each) => each.in === "query").map(parameter);
  return `${comment(`${summary}: what null and undefined stand for is left out.`, "")}export interface ${name} {\n${lines.join("")}}\n`;
}

const written = Object.entries(QUERIES).map(([name, path]) => query(name, path));
for (const name of wanted) written.push(declaration(name, schemas[name])); // a Set grows while it is read
process.stdout.write(`// Written by scripts/types.mjs from the contract: do not edit.\n\n${written.join("\n")}`);
