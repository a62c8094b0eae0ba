/** The first visit: what this is, and where to begin. */

import { counted, h, itemLink, percent } from "./dom.js";

export function home(model) {
  const unit = model.arcs.same_basket ? "basket" : "customer";
  return h("div", { class: "home" },
    h("h1", { tabindex: "-1" }, "What do customers want ", h("em", {}, "next?")),
    h("p", { class: "lead" },
      "Pick a product and see what is bought after it, what leads to it, and why. ",
      "Direction counts: a case follows a phone; a phone does not follow a case."),
    model.examples.length ? h("section", { "aria-labelledby": "begin" },
      h("h2", { id: "begin", class: "label" }, "Good places to begin"),
      h("ul", { class: "examples" }, ...model.examples.map((example) => card(example, unit)))) : null,
    model.student ? h("p", { class: "newcomer-link" },
      "Nobody has bought it yet? ", h("a", { href: "/?new=", "data-new": "" }, "Place a new product"), " by its title.") : null);
}

function card(example, unit) {
  const support = example.support === null ? "" : `${counted(example.support, unit)} · `;
  return h("li", {}, itemLink(example.source, { class: "example" },
    h("span", { class: "example-source" }, example.source.title),
    h("span", { class: "example-arrow", "aria-hidden": "true" }),
    h("span", { class: "unseen" }, " then "),
    h("span", { class: "example-target" }, example.target.title),
    h("span", { class: "example-numbers" }, `${support}${percent(example.direction_strength)} this way`)));
}
