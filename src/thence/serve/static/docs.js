/** The API's page, drawn from /openapi.json: each route with its parameters, and a form that tries it. */

import { h } from "./dom.js";

fetch("/v1/models").then((answer) => answer.json()).then(({ models }) =>
  document.documentElement.classList.toggle("no-items", models?.[0].items === null));
const main = document.querySelector("main");
const description = await (await fetch("/openapi.json")).json();
for (const [path, methods] of Object.entries(description.paths)) {
  for (const [method, route] of Object.entries(methods)) main.append(section(path, method, route));
}

function section(path, method, route) {
  const parameters = route.parameters ?? [];
  const body = route.requestBody ? h("label", {}, h("span", {}, "body"), h("textarea", { name: "body", rows: "4", spellcheck: "false" }, "{}"), h("small", {}, "JSON")) : null;
  const form = h("form", {}, ...parameters.map(field), body, h("button", { type: "submit" }, "Try it"));
  const shown = h("pre", { hidden: true, tabindex: "0", "aria-live": "polite", "aria-label": `Answer of ${path}` });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = new FormData(form);
    let url = path;
    const query = new URLSearchParams();
    for (const { name, in: place } of parameters) {
      const value = String(values.get(name) ?? "");
      if (place === "path") url = url.replace(`{${name}}`, encodeURIComponent(value));
      else if (value) query.set(name, value);
    }
    url += query.size ? `?${query}` : "";
    const sent = body ? { body: String(values.get("body")), headers: { "content-type": "application/json" } } : {};
    const answer = await fetch(url, { method: method.toUpperCase(), credentials: method === "get" ? "same-origin" : "omit", ...sent });
    const text = await answer.json().catch(() => null);
    shown.hidden = false;
    shown.textContent = `${method.toUpperCase()} ${url}\n${answer.status}\n\n${JSON.stringify(text, null, 1)}`;
  });
  return h("section", { "aria-label": `${method.toUpperCase()} ${path}` }, h("h2", {}, h("b", {}, method.toUpperCase()), path), h("p", {}, route.description ?? ""), form, shown);
}

function field(parameter) {
  const { name, required, schema, description: words } = parameter;
  const choices = schema.enum ?? null;
  const control = choices
    ? h("select", { name }, ...choices.map((choice) => h("option", { value: choice }, choice)))
    : h("input", { name, required: required ? "required" : null, placeholder: schema.default === undefined || schema.default === null ? "" : String(schema.default) });
  return h("label", {}, h("span", {}, name), control, h("small", {}, words ?? ""));
}
