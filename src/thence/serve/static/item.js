/** An item's page: what leads here on the left, what follows on the right, the baseline's list beside each. */

import { counted, evidence, h, itemLink, money, percent } from "./dom.js";
import { drawing } from "./drawing.js";
import { explainBox, interval, LITTLE } from "./explain.js";

const SIDES = {
  before: { title: "What leads here", empty: "Nothing leads here." },
  next: { title: "What follows", empty: "Nothing follows." },
};

export function itemPage(data) {
  const { item } = data;
  return h("article", { class: "item" },
    head(item),
    drawing(data.drawn),
    h("div", { class: "sides" },
      side("before", data.before, data.baselineBefore),
      side("next", data.next, data.baselineNext)));
}

function head(item) {
  const facts = [
    item.brand,
    item.price !== null && money(item.price),
    item.count !== null && (item.count ? `bought ${counted(item.count, "time")}` : "not bought yet"),
    `id ${item.item_id}`,
  ].filter(Boolean);
  return h("header", { class: "item-head" },
    item.category ? h("p", { class: "label path" }, item.category.split(" > ").join(" › ")) : null,
    h("h1", { tabindex: "-1" }, item.title),
    h("ul", { class: "facts", "aria-label": "Facts" }, ...facts.map((fact) => h("li", {}, fact))));
}

function side(direction, answer, baseline) {
  const { title, empty } = SIDES[direction];
  const theirs = baseline?.results ?? [];
  const rankThere = new Map(theirs.map((result) => [result.item_id, result.rank]));
  const rankHere = new Map(answer.results.map((result) => [result.item_id, result.rank]));
  const length = barLength(answer.results.map((result) => result.score));
  const twice = repeated([answer.item, ...answer.results, ...theirs.filter((result) => !rankHere.has(result.item_id))]);
  const id = `side-${direction}`;
  const lines = answer.results.map((result) =>
    row(result, answer.route, length(result.score), twice, baseline !== null && !rankThere.has(result.item_id),
      direction === "next" ? explainBox(answer.item, result) : explainBox(result, answer.item)));
  return h("section", { class: `side ${direction}`, "aria-labelledby": id },
    h("h2", { id }, title),
    h("div", { class: baseline ? "lists" : "lists alone" },
      h("p", { class: "label model-label" }, "Model", baseline ? h("span", { class: "only" }, "not in the baseline’s") : null),
      answer.note ? h("p", { class: "none" }, answer.note) : null,
      lines.length ? h("ol", { class: "model-list", "aria-label": `${title}, by the model` }, ...lines) : answer.note ? null : h("p", { class: "none" }, empty),
      baseline ? h("p", { class: "label baseline-label", title: `The plain baseline: ${baseline.baseline}` },
        `vs ${baseline.baseline}`) : null,
      baseline ? h("ol", { class: "baseline-list", "aria-label": `${title}, by the baseline ${baseline.baseline}` },
        ...theirs.map((result) => plainRow(result, rankHere.get(result.item_id), twice))) : null));
}

const MEANT = { table: "Score: log odds, by the second stage", fallback: "Score: weight of the arcs" };

function row(result, route, length, twice, onlyHere, explain) {
  const bar = h("span", { class: "bar", "aria-hidden": "true" });
  bar.style.setProperty("--length", length);
  return h("li", {},
    h("span", { class: "rank", "aria-hidden": "true" }, result.rank),
    h("div", { class: "what" },
      h("div", { class: "line" },
        h("p", { class: "name" }, itemLink(result, { class: "title" }, result.title), told(result, twice), ...(onlyHere ? RING() : [])),
        h("span", { class: "score", title: MEANT[route] ?? "Score: ⟨source, target⟩ + bias" }, result.score.toFixed(2))),
      bar,
      h("div", { class: "line" },
        h("p", { class: "why", title: [result.why, ...result.reasons.map((reason) => reason.words)].join("; ") }, ...why(result)),
        way(result)),
      explain));
}

/** The mark of what the baseline's list lacks; the space keeps it beside the last word. */
const RING = () => ["\u00a0", h("span", { class: "only", title: "Not in the baseline’s list" },
  h("span", { class: "unseen" }, "not in the baseline’s list"))];

function why(result) {
  if (!result.arcs.length) return [result.why];
  const [first, ...rest] = result.arcs;
  const most = Math.max(...result.arcs.map((arc) => arc.support ?? LITTLE));
  return [evidence(first), ...rest.map((arc) => h("span", { class: "further" }, evidence(arc, true))),
    most < LITTLE ? h("span", { class: "further thin" }, "little evidence") : null].filter(Boolean);
}

/** Which way the evidence points: a meter around one half. */
function way({ direction_strength: strength, arcs }) {
  if (strength === null) return h("span", { class: "way none", title: "No arc joins the two" }, "no arc");
  const meter = h("span", { class: "meter", "aria-hidden": "true" });
  meter.style.setProperty("--share", strength);
  const here = arcs.find((arc) => arc.asymmetry !== null)?.support ?? null;
  const sure = here && strength ? interval(here, here / strength) : null;
  const unsure = sure !== null && sure.low < 0.5 && sure.high > 0.5;
  const words = `${percent(strength)} of the evidence points this way${unsure ? `, which may be chance: ${percent(sure.low)} to ${percent(sure.high)} fits` : ""}`;
  return h("span", { class: unsure ? "way unsure" : "way", title: words },
    meter, h("span", { "aria-hidden": "true" }, percent(strength)), h("span", { class: "unseen" }, words));
}

function plainRow(result, rankHere, twice) {
  const place = rankHere ? h("p", { class: "tag" }, `model’s ${rankHere}`) : h("p", { class: "tag only" }, "not in the model’s");
  return h("li", { title: `Baseline’s score ${Number(result.score.toPrecision(3))}` },
    h("span", { class: "rank", "aria-hidden": "true" }, result.rank),
    h("div", { class: "what" }, h("p", { class: "name" }, itemLink(result, { class: "title" }, result.title), told(result, twice)), place));
}

/** Items of one title are told apart by their ids. */
const told = (item, twice) => (twice.has(item.title) ? h("span", { class: "id" }, item.item_id) : null);

function repeated(items) {
  const seen = new Set();
  return new Set(items.map((item) => item.title).filter((title) => seen.has(title) || !seen.add(title)));
}

/** Bars from zero while all scores are positive, else from just below the lowest. */
function barLength(scores) {
  const top = Math.max(...scores), low = Math.min(...scores);
  const zero = low > 0 ? 0 : low - (top - low || 1) * 0.08;
  return (score) => ((score - zero) / (top - zero || 1)).toFixed(3);
}
