// Try the API: every call of the OpenAPI document as a form, with the command for a terminal and the answer.
import { get } from "../api.js";
import { copies } from "../clipboard.js";
import { byId, coded, debounced, h, into, note } from "../dom.js";
import { session as started } from "../shell.js";
import { seconds, size } from "../words.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
const LONGEST = 200000; // characters of an answer that are shown

await started;
let api = null;
const calls = [];

// ---- reading the document ----

/** A schema with its reference followed, and of alternatives the first that is not null. */
function schemaOf(schema = {}, depth = 0) {
  if (depth > 8) return {};
  if (schema.$ref) return schemaOf(schema.$ref.slice(2).split("/").reduce((inside, key) => inside?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], api), depth + 1);
  const one = (schema.anyOf ?? schema.oneOf ?? schema.allOf)?.find((each) => each.type !== "null");
  return one ? { ...schemaOf(one, depth + 1), ...Object.fromEntries(["description", "default", "title"].filter((key) => key in schema).map((key) => [key, schema[key]])) } : schema;
}

const isFile = (schema) => schema.format === "binary" || schema.contentMediaType !== undefined || schema.contentEncoding !== undefined;

function example(given, depth = 0) {
  const schema = schemaOf(given);
  if (schema.examples?.length) return schema.examples[0];
  if (schema.example !== undefined) return schema.example;
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  if (schema.type === "object" || schema.properties) {
    if (depth > 4) return {};
    return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, each]) => [name, example(each, depth + 1)]));
  }
  if (schema.type === "array") return depth > 4 ? [] : [];
  return { string: "", integer: 0, number: 0, boolean: false }[schema.type] ?? null;
}

function read() {
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const method of METHODS) {
      const call = methods[method];
      if (!call) continue;
      const parameters = [...(methods.parameters ?? []), ...(call.parameters ?? [])].filter((one) => ["path", "query"].includes(one.in));
      calls.push({ id: `${method} ${path}`, method, path, call, parameters, group: call.tags?.[0] ?? "other", bodies: Object.entries(call.requestBody?.content ?? {}) });
    }
  }
}

function drawCalls() {
  const groups = new Map();
  for (const one of calls) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  byId("calls").replaceChildren(...[...groups].map(([group, found]) => [
    h("h2", {}, group),
    h("ul", {}, found.map((one) => h("li", {}, h("a", { href: `#${encodeURIComponent(one.id)}`, "data-id": one.id, title: one.call.summary ?? "" },
      h("span", { class: "method" }, one.method.toUpperCase()), h("span", {}, breakable(one.path))))))]).flat());
}

/** A path that breaks where its parts begin. */
const breakable = (path) => path.split(/(?=[/_])/).flatMap((part, index) => (index ? [h("wbr"), part] : [part]));

// ---- the form of a call ----

let made = 0;

function field(name, given, { required = false, description = "", wide = false, kind = null } = {}) {
  const schema = schemaOf(given);
  const id = `field-${++made}`;
  const items = schema.type === "array" ? schemaOf(schema.items) : null;
  const file = kind === "file" || isFile(schema) || (items && isFile(items));
  const words = description || schema.description || "";
  const hint = [words, items && !file ? "Several: one a line." : ""].filter(Boolean).join(" ");
  const same = { id, "aria-describedby": hint ? `${id}-hint` : null, required };
  const choices = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : null);
  const first = schema.default === undefined || schema.default === null || typeof schema.default === "object" ? "" : String(schema.default);
  let input;
  if (file) input = h("input", { ...same, type: "file", multiple: Boolean(items) });
  else if (choices) input = h("select", same, h("option", { value: "" }, required ? "Choose" : first ? `Default: ${first}` : "Not set"), choices.map((one) => h("option", { value: one }, String(one))));
  else if (items) input = h("textarea", { ...same, rows: 2, spellcheck: "false", autocapitalize: "none" });
  else {
    const numeric = ["integer", "number"].includes(schema.type);
    input = h("input", { ...same, type: numeric ? "number" : "text", step: schema.type === "number" ? "any" : null, min: schema.minimum, max: schema.maximum, placeholder: first, autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
  }
  const values = () => (file ? [...input.files] : items ? input.value.split("\n").map((one) => one.trim()).filter(Boolean) : input.value === "" ? [] : [input.value]);
  return { name, file, values, element: h("div", { class: `field ${wide ? "wide" : ""}` }, h("label", { for: id }, name, required ? " (needed)" : ""), input, hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null) };
}

function bodyOf(type, content) {
  const schema = schemaOf(content.schema);
  if (type === "multipart/form-data" || type === "application/x-www-form-urlencoded") {
    const fields = Object.entries(schema.properties ?? {}).map(([name, one]) => field(name, one, { required: schema.required?.includes(name) }));
    return {
      type, elements: fields.map((one) => one.element),
      make() {
        const form = new FormData();
        for (const one of fields) for (const value of one.values()) form.append(one.name, value);
        return { body: form, words: fields.flatMap((one) => one.values().map((value) => ["-F", `${one.name}=${one.file ? `@${value.name}` : value}`])) };
      },
    };
  }
  if (type.includes("json")) {
    const id = `field-${++made}`;
    const area = h("textarea", { id, class: "code", spellcheck: "false", autocapitalize: "none" });
    area.value = JSON.stringify(content.example ?? example(content.schema), null, 2);
    return {
      type, elements: [h("div", { class: "field wide" }, h("label", { for: id }, "Body, JSON"), area)],
      make: () => ({ body: area.value, headers: { "Content-Type": "application/json" }, words: [["-H", "Content-Type: application/json"], ["-d", compact(area.value)]] }),
    };
  }
  const photo = field("photo", {}, { kind: "file", required: true, wide: true });
  return {
    type, elements: [photo.element],
    make() {
      const [file] = photo.values();
      return { body: file, headers: { "Content-Type": file?.type || "application/octet-stream" }, words: [["--data-binary", `@${file?.name ?? "photo.jpg"}`]] };
    },
  };
}

function compact(json) {
  try {
    return JSON.stringify(JSON.parse(json));
  } catch {
    return json;
  }
}

const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

function show(one) {
  for (const link of byId("calls").querySelectorAll("a")) {
    if (link.dataset.id === one.id) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  byId("call-title").textContent = one.call.summary ?? one.id;
  const words = (one.call.description ?? "").split(/\n\s*(?:Parameters|Raises|Returns)\s*\n\s*-+/)[0].trim();
  byId("call-head").replaceChildren(byId("call-title"), h("p", { class: "try-path" }, h("code", {}, `${one.method.toUpperCase()} `, breakable(one.path))), ...(words ? [h("p", { class: "lead" }, coded(words))] : []));
  byId("answer-part").hidden = true;

  const inPath = [];
  const inQuery = [];
  for (const each of one.parameters) (each.in === "path" ? inPath : inQuery).push(field(each.name, each.schema, { required: each.in === "path" || each.required, description: each.description }));
  const bodies = one.bodies.map(([type, content]) => bodyOf(type, content));
  let body = bodies[0] ?? null;
  const bodyPlace = h("div", { class: "try-fields" });
  const putBody = () => bodyPlace.replaceChildren(...(body?.elements ?? []));
  putBody();
  const kinds = bodies.length > 1 ? h("div", { class: "field" }, h("label", { for: "body-kind" }, "Body as"),
    h("select", { id: "body-kind", onchange: (event) => ((body = bodies[event.target.selectedIndex]), putBody()) }, bodies.map((each) => h("option", {}, each.type)))) : null;

  const request = () => {
    const path = inPath.reduce((text, each) => text.replace(new RegExp(`\\{${each.name}(:[^}]*)?\\}`), each.values()[0] === undefined ? `{${each.name}}` : encodeURIComponent(each.values()[0])), one.path);
    const query = new URLSearchParams(inQuery.flatMap((each) => each.values().map((value) => [each.name, value]))).toString();
    return { address: query ? `${path}?${query}` : path, ...(body ? body.make() : {}) };
  };
  const command = h("pre", { class: "wrapped", tabindex: "0", "aria-label": "The command for a terminal" });
  const curl = () => {
    const { address, words = [] } = request();
    return ["curl", ...(one.method === "get" ? [] : one.method === "post" && words.length ? [] : ["-X", one.method.toUpperCase()]), ...words.flat(), location.origin + address].map(quoted).join(" ");
  };
  const copyButton = h("button", { type: "button", class: "small" }, h("span", { class: "button-words" }, "Copy"));
  copies(copyButton, curl);
  const form = byId("form");
  form.hidden = false;
  form.replaceChildren(...[
    inPath.length + inQuery.length ? h("div", { class: "try-fields" }, [...inPath, ...inQuery].map((each) => each.element)) : null, kinds, bodyPlace,
    h("div", { class: "row between" }, h("button", { class: "primary" }, "Send"), copyButton), command].filter(Boolean));
  const redraw = debounced(() => (command.textContent = curl()), 60);
  form.oninput = redraw;
  form.onchange = redraw;
  form.onsubmit = (event) => {
    event.preventDefault();
    send(one.method, request());
  };
  command.textContent = curl();
}

// ---- the answer ----

async function send(method, { address, body, headers }) {
  byId("answer-part").hidden = false;
  byId("answer-status").textContent = "";
  await into(byId("answer"), async () => {
    const began = performance.now();
    let response;
    try {
      response = await fetch(address, { method: method.toUpperCase(), body, headers, credentials: "same-origin" });
    } catch {
      throw new Error("The server does not answer. Is tagdb serve still running?");
    }
    const blob = await response.blob();
    const type = response.headers.get("content-type") ?? "";
    byId("answer-status").replaceChildren(h("span", { class: `mark ${response.ok ? "good" : "bad"}` }, `${response.status} ${response.statusText}`.trim()), ` ${seconds((performance.now() - began) / 1000)}, ${size(blob.size)}`);
    if (!blob.size) return h("p", { class: "soft" }, "The answer has no body.");
    if (type.startsWith("image/")) return shownImage(blob);
    const text = await blob.text();
    return h("pre", { class: "wrapped", tabindex: "0", "aria-label": "The answer" }, cut(type.includes("json") ? pretty(text) : text));
  });
}

function shownImage(blob) {
  const url = URL.createObjectURL(blob);
  const img = h("img", { src: url, alt: "The answer, an image" });
  for (const over of ["load", "error"]) img.addEventListener(over, () => URL.revokeObjectURL(url), { once: true });
  return img;
}

const cut = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}\n… and ${text.length - LONGEST} characters more` : text);

function pretty(text) {
  try {
    // arrays of numbers on one line: an embedding has 1,280
    return JSON.stringify(JSON.parse(text), null, 2).replace(/\[\s+(-?[\d.e+-]+(?:,\s+-?[\d.e+-]+)*)\s+\]/g, (whole, inside) => `[${inside.replace(/\s+/g, " ")}]`);
  } catch {
    return text;
  }
}

// ---- begin ----

function fromAddress(event) {
  const id = decodeURIComponent(location.hash.slice(1));
  const one = calls.find((each) => each.id === id) ?? calls[0];
  if (!one) return;
  show(one);
  if (event) byId("call-title").focus();
}

try {
  api = await get("/v1/openapi.json");
  read();
  drawCalls();
  fromAddress();
  addEventListener("hashchange", fromAddress);
} catch (error) {
  byId("calls").replaceChildren(note(error.message, "bad"));
}
