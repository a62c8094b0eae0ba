/** A product that nobody has bought yet: a form, and what the model's student makes of the words. */

import { h, itemLink } from "./dom.js";

const SIDES = { before: ["What would lead here", "Reached as these are"], next: ["What would follow", "Leads on as these do"] };

export function placePage({ said, before, next, refused }) {
  return h("article", { class: "item place" },
    h("header", { class: "item-head" },
      h("p", { class: "label" }, "A product that nobody has bought yet"),
      h("h1", { tabindex: "-1" }, said.title || "What would it be?")),
    form(said),
    refused ? h("p", { class: "none" }, `${sentence(refused.message)}. ${refused.fix}`) : null,
    next ? h("p", { class: "read" }, "Read: ", ...words(next.read), " · from words alone: no purchase speaks for these lists.") : null,
    next ? h("div", { class: "sides" }, side("before", before), side("next", next)) : null);
}

function form(said) {
  return h("form", { class: "newcomer" },
    field("title", "Title", said.title, "such as: decaf espresso capsules", true),
    field("category", "Category", said.category, "such as: Grocery > Coffee", false),
    h("button", { type: "submit" }, "Place it"));
}

function field(name, label, value, example, needed) {
  return h("label", {}, h("span", {}, label),
    h("input", { name, value, placeholder: example, maxlength: "1000", required: needed, spellcheck: "false" }));
}

const words = (read) => read.flatMap((word, i) => [i ? ", " : "", h("b", {}, word)]);
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function side(direction, answer) {
  const [title, like] = SIDES[direction];
  const id = `side-${direction}`;
  const top = Math.max(...answer.results.map((result) => result.score));
  const low = Math.min(...answer.results.map((result) => result.score), 0);
  return h("section", { class: `side ${direction}`, "aria-labelledby": id },
    h("h2", { id }, title),
    h("div", { class: "lists alone" },
      answer.alike.length ? h("p", { class: "none" }, `${like}: `, ...answer.alike.flatMap((item, i) =>
        [i ? ", " : "", itemLink(item, {}, item.title)])) : null,
      h("ol", { class: "model-list", "aria-label": title }, ...answer.results.map((result) => row(result, low, top)))));
}

function row(result, low, top) {
  const bar = h("span", { class: "bar", "aria-hidden": "true" });
  bar.style.setProperty("--length", ((result.score - low) / (top - low || 1)).toFixed(3));
  return h("li", {},
    h("span", { class: "rank", "aria-hidden": "true" }, result.rank),
    h("div", { class: "what" },
      h("div", { class: "line" },
        h("p", { class: "name" }, itemLink(result, { class: "title" }, result.title)),
        h("span", { class: "score", title: "Score: ⟨source, target⟩ + bias" }, result.score.toFixed(2))),
      bar,
      result.category ? h("p", { class: "why" }, result.category.split(" > ").join(" › ")) : null));
}
