/** "Explain" below a result: the evidence both ways, how sure the direction is, paths, and what each arc does. */

import { ask } from "./api.js";
import { counted, h, itemLink, number, percent } from "./dom.js";

const UNITS = { same_basket: "basket", co_viewed: "session" };
/** So few customers or baskets are little to go by. */
export const LITTLE = 5;
const SHOWN = 6, PATHS = 3;

/** A disclosure that asks when it is first opened. */
export function explainBox(source, target) {
  const place = h("div", { class: "explained", "aria-live": "polite" });
  const box = h("details", { class: "explain" }, h("summary", {}, "Explain", h("span", { class: "unseen" }, ` ${source.title} → ${target.title}`)), place);
  let asked = false;
  box.addEventListener("toggle", async () => {
    if (!box.open || asked) return;
    asked = true;
    place.replaceChildren(h("p", { class: "label" }, "Working it out …"));
    try {
      place.replaceChildren(...told(await ask("/v1/explain", { source: source.item_id, target: target.item_id })));
    } catch (error) {
      asked = false; // opened again, it asks again
      place.replaceChildren(h("p", { class: "label" }, `${error.message}. ${error.fix ?? ""}`));
    }
  });
  return box;
}

function told(answer) {
  return [standing(answer), ...evidence(answer), paths(answer), effects(answer), answer.note ? h("p", { class: "label" }, answer.note) : null].filter(Boolean);
}

function standing({ rank, score, listed_at: listed, route }) {
  const place = `The embeddings put it ${ordinal(rank)} of all products (score ${score.toFixed(2)})`;
  if (route !== "table") return h("p", {}, `${place}.`);
  return h("p", {}, listed === null ? `${place}; the second stage does not list it.` : `${place}, the second stage ${ordinal(listed)}.`);
}

/** "1st", "22nd", "113th". */
function ordinal(n) {
  const last = n % 100 > 10 && n % 100 < 14 ? 0 : n % 10;
  return `${number(n)}${["th", "st", "nd", "rd"][last] ?? "th"}`;
}

/** The arcs of the pair, this way beside the other way. */
function evidence({ arcs, source, target }) {
  if (!arcs.length) return [h("p", {}, "No arc joins the two: nobody was seen to go from one to the other.")];
  const relations = [...new Set(arcs.map((arc) => arc.relation))];
  const find = (relation, from, to) => arcs.find((arc) => arc.relation === relation && arc.source === from.item_id && arc.target === to.item_id);
  const rows = relations.map((relation) => [relation, find(relation, source, target), find(relation, target, source)]);
  return [h("table", {}, h("thead", {}, h("tr", {}, ...["evidence", "this way", "other way"].map((words) => h("th", { scope: "col" }, words)))),
    h("tbody", {}, ...rows.map(([relation, forth, back]) => h("tr", {}, h("th", { scope: "row" }, relation.replaceAll("_", " ")),
      ...(directed(forth ?? back) ? [h("td", {}, amount(forth)), h("td", {}, amount(back))] : [h("td", { colspan: "2" }, `${amount(forth ?? back)}, no direction`)]))))),
  direction(rows.find(([, forth, back]) => directed(forth ?? back)))];
}

const directed = (arc) => arc.asymmetry !== null;

function amount(arc) {
  if (!arc) return "none";
  return arc.support === null ? `weight ${Number(arc.weight.toPrecision(3))}` : counted(arc.support, UNITS[arc.relation] ?? "customer");
}

/** How sure the direction is, in words: a Wilson interval of the share that went this way. */
function direction(row) {
  if (!row) return null;
  const [relation, forth, back] = row;
  if ((forth ?? back).support === null) return null;
  const here = forth?.support ?? 0, there = back?.support ?? 0;
  const { low, high } = interval(here, here + there);
  const unit = UNITS[relation] ?? "customer";
  const counts = `${number(here)} of ${counted(here + there, unit)} went this way (${percent(here / (here + there))}).`;
  const words = low > 0.5 ? `That is more than chance: between ${percent(low)} and ${percent(high)}.`
    : high < 0.5 ? `Most went the other way: this way between ${percent(low)} and ${percent(high)}.`
      : `That may be chance: anything between ${percent(low)} and ${percent(high)} fits.`;
  return h("p", {}, here + there < LITTLE ? h("b", {}, "Little evidence. ") : null, counts, " ", words);
}

/** Wilson's 95 % interval of a share (Wilson, 1927). */
export function interval(hits, count) {
  const z = 1.96, share = hits / count;
  const middle = share + (z * z) / (2 * count), reach = z * Math.sqrt((share * (1 - share)) / count + (z * z) / (4 * count * count));
  const whole = 1 + (z * z) / count;
  return { low: Math.max((middle - reach) / whole, 0), high: Math.min((middle + reach) / whole, 1) };
}

function paths({ paths: found }) {
  if (!found.length) return null;
  return h("div", {}, h("p", { class: "label" }, "By way of"), h("ul", {}, ...found.slice(0, PATHS).map((path) => h("li", {},
    itemLink(path.through, { class: "title" }, path.through.title), h("span", { class: "label" }, ` · ${path.arcs.map(amount).join(", then ")}`)))));
}

function effects({ without, rank, score }) {
  if (!without.length) return null;
  const most = Math.max(...without.map((one) => Math.abs(one.change)), 1e-9);
  const shown = without.filter((one) => Math.abs(one.change) >= most * 0.05).slice(0, SHOWN);
  const rest = without.length - shown.length;
  return h("div", {}, h("p", { class: "label" }, `Were an arc not there, the score of ${score.toFixed(2)} would change by`),
    h("ul", { class: "effects" }, ...shown.map((one) => h("li", { title: `${one.arc.source} → ${one.arc.target}` },
      h("span", { class: "what" }, one.what), length(one.change / most),
      h("span", { class: "label" }, `${signed(one.change)}, ${one.rank === rank ? `still ${ordinal(rank)}` : `from ${ordinal(rank)} to ${ordinal(one.rank)}`}`)))),
    rest > 0 ? h("p", { class: "label" }, `${counted(rest, "further arc")} would change it less.`) : null);
}

const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toPrecision(2)}`;

/** A bar to the left of the middle where the score would fall, to the right where it would rise. */
function length(share) {
  const bar = h("span", { class: share < 0 ? "effect falls" : "effect", "aria-hidden": "true" });
  bar.style.setProperty("--share", Math.abs(share).toFixed(3));
  return bar;
}
