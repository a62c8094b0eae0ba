/** The page "Decision": where the policy acts, what another wanted precision would bring, and why on one case. */

import { ask } from "./api.js";
import { asking, field, post, refusal } from "./asking.js";
import { absent, counted, h, number } from "./dom.js";
import { share } from "./figures.js";
import { heatMap, levelName } from "./heat.js";
import { plot } from "./plot.js";

const FIT = "thence decide fit scores.parquet --precision 0.3 --into POLICY\nthence serve RUN --policy POLICY";

export async function decisionPage(signal) {
  const { models } = await ask("/v1/models", {}, signal);
  if (!models[0].policy_version) return absent("Decision", "No policy is served. These commands make one and serve it:", FIT);
  const [policy, told] = await Promise.all([ask("/v1/decide", {}, signal), ask("/v1/decide/map", {}, signal)]);
  const { picture } = told;
  return h("article", { class: "page decision" },
    h("h1", { tabindex: "-1" }, "Decision"),
    h("p", { class: "verdict" }, ...verdict(policy, picture)),
    sums(policy, told),
    ...(picture ? pictured(policy, told) : [lacking()]),
    one(policy));
}

const GOALS = {
  recall: (bound) => ["most of what comes true", `at a precision of at least ${share(bound)}`],
  precision: (bound) => ["the highest precision", `at a recall of at least ${share(bound)}`],
  cost: (bound) => ["the least cost", `a wrong act costs ${bound}, a missed positive 1`],
  budget: (bound) => ["most of what comes true", `acting on at most ${share(bound)}`],
};

function verdict(policy, picture) {
  if (!picture) return ["It decides, but what it brings was not kept."];
  const { own } = picture;
  if (!own.taken) return [h("b", {}, "It acts on none of the cases that judge it.")];
  const act = `It acts on ${share(own.share)} of the cases and finds ${share(own.recall)} of what comes true; `;
  const right = `${share(own.precision)} of its acts are right`;
  const wanted = policy.target === "recall" ? `, ${share(policy.bound)} were wanted` : "";
  const asks = own.asked ? ` It asks about ${share(own.asked / picture.cases)}.` : "";
  return [h("b", {}, act, right), `${wanted}.${asks}`];
}

function sums(policy, told) {
  const goal = GOALS[policy.target]?.(policy.bound) ?? ["not told", null];
  const rows = [
    ["policy", h("code", {}, policy.policy_version), told.method ? `boundary: ${told.method}` : null],
    ["best in", goal[0], goal[1]],
    ["on new cases", policy.confidence === null ? "no guarantee" : "guaranteed", policy.confidence === null ? "ask with --confidence 0.95" : `with confidence ${policy.confidence}`],
    ["uncertainty", policy.uses_uncertainty ? "looked at" : "not looked at", policy.uses_uncertainty ? null : "one threshold was as good"],
    policy.fitted_to ? ["scores of", h("code", {}, policy.fitted_to), "the conversion model that it was fitted to"] : null,
  ];
  return h("dl", { class: "sums" }, ...rows.filter(Boolean).map(([name, value, more]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value, more ? h("small", {}, more) : null))));
}

function lacking() {
  return h("section", { "aria-labelledby": "where" }, h("h2", { id: "where" }, "Where it acts"),
    h("p", {}, "This policy was saved without its picture. Fit it again, and rates, boundary and what other precisions would bring stand here."),
    h("pre", {}, h("code", {}, "thence decide fit scores.parquet --precision 0.3 --into POLICY")));
}

function pictured(policy, told) {
  const { picture } = told;
  const kept = picture.steps.findIndex((step) => policy.target === "recall" && step.precision === policy.bound);
  let place = kept < 0 ? null : kept; // null: the policy as it is served, which is no step of precision
  let cell = null;
  const why = h("div", { class: "why-cell", role: "status" }, h("p", { class: "label" }, "Choose a cell to see what is done there, and why."));
  const heat = heatMap(picture, told.unsure, (level, bin) => { cell = [level, bin]; explain(); });
  const slide = h("input", { type: "range", min: "0", max: String(picture.steps.length - 1), step: "1", "aria-describedby": "brings" });
  const wanted = h("output", { class: "wanted" });
  const back = h("button", { type: "button", class: "back" }, "As served");
  const table = h("div", { class: "scroll" });
  const note = h("p", { id: "brings" });
  const standing = () => (place === null ? { boundary: picture.own, single: null } : picture.steps[place]);
  let turn = 0;
  async function explain() {
    if (!cell) return;
    heat.mark(...cell);
    const mine = ++turn;
    const found = await explained(policy, told, cell, place === kept || place === null ? null : picture.steps[place]);
    if (mine === turn) why.replaceChildren(...found);
  }
  function show() {
    const step = standing();
    const served = place === null || place === kept;
    heat.draw(step.boundary, step.single);
    slide.value = String(place ?? nearest(picture));
    const words = place === null ? "as served" : share(step.precision);
    wanted.replaceChildren(words, served && place !== null ? h("small", {}, " as served") : "");
    slide.setAttribute("aria-valuetext", `${words}${served ? ", as served" : ""}`);
    back.disabled = served;
    table.replaceChildren(beside(step, picture));
    note.replaceChildren(...said(step, policy, place === null, picture));
    explain();
  }
  slide.addEventListener("input", () => { place = Number(slide.value); show(); });
  back.addEventListener("click", () => { place = kept < 0 ? null : kept; show(); slide.focus(); });
  show();
  const seen = picture.held_out ? `${counted(picture.cases, "case")} that its boundary was not fitted to` : `the ${counted(picture.cases, "case")} that it was fitted to: hold some out with --holdout, these figures flatter`;
  return [
    h("section", { "aria-labelledby": "where" }, h("h2", { id: "where" }, "Where it acts"),
      h("p", {}, `Judged by ${seen}; ${number(picture.positives)} came true.`),
      h("div", { class: "control" }, h("label", {}, h("span", {}, "Wanted precision ", wanted), slide), back),
      h("div", { class: "board" }, heat.node, h("div", { class: "beside" }, table, note, why))),
    h("section", { "aria-labelledby": "other" }, h("h2", { id: "other" }, "What it gains over one threshold"),
      h("p", {}, "Both were fitted for each wanted precision and judged by the same cases. Compare at the same height: what is right there, and how much is found."),
      h("div", { class: "figures" }, frontier(picture))),
  ];
}

/** The step whose precision is nearest to that of the served policy. */
function nearest(picture) {
  const distance = (step) => Math.abs(step.precision - (picture.own.precision ?? 1));
  return picture.steps.reduce((best, step, i) => (distance(step) < distance(picture.steps[best]) ? i : best), 0);
}

const range = (low, high) => (low === null ? null : h("small", {}, `${share(low)} to ${share(high)}`));

function beside(step, picture) {
  const row = (name, one) => h("tr", {}, h("th", { scope: "row" }, name),
    ...(one ? [
      h("td", { class: "figure" }, share(one.share), h("small", {}, counted(one.taken, "case"))),
      h("td", { class: "figure" }, one.precision === null ? "–" : share(one.precision), range(one.precision_low, one.precision_high)),
      h("td", { class: "figure" }, share(one.recall), range(one.recall_low, one.recall_high)),
      h("td", { class: "figure" }, one.asked ? share(one.asked / picture.cases) : "–"),
    ] : [h("td", { colspan: "4", class: "none-known" }, step.single === null && step.boundary === picture.own ? "see another precision" : "none is known to keep it")]));
  return h("table", { class: "outcome" }, h("caption", { class: "unseen" }, "What it brings, beside one threshold"),
    h("thead", {}, h("tr", {}, h("td", {}), ...["acts on", "right", "finds", "asks about"].map((name) => h("th", { scope: "col", class: "figure" }, name)))),
    h("tbody", {}, row("the policy’s way", step.boundary), row("one threshold", step.single)));
}

function said(step, policy, served, picture) {
  const one = step.boundary;
  if (!one) return [`No boundary of these cases is known to keep a precision of ${share(step.precision)}${policy.confidence === null ? "" : ` with confidence ${policy.confidence}`}.`];
  if (!one.taken) return ["It acts on nothing there."];
  const words = [];
  if (!served && one.precision_high < step.precision) words.push(`It missed: ${share(step.precision)} wanted, at most ${share(one.precision_high)} kept on cases that it was not fitted to. `);
  if (picture.held_out) words.push("Below each figure its 95 % interval on these cases. ");
  if (policy.confidence !== null) words.push(`With confidence ${policy.confidence} its precision on new cases like these is at least the wanted one, each step for itself: who picks among them by their outcome has no such promise.`);
  else if (picture.held_out) words.push("No guarantee was asked for: a bound is kept on the fitted cases, and on new ones it is missed about as often as not.");
  return words;
}

/** What is done on the middle case of a cell, in the policy's words, and what another step would do. */
async function explained(policy, told, [level, bin], step) {
  const { picture } = told;
  const cell = picture.cells[level][bin];
  const place = `${levelName(picture, told.unsure, level)}, score ${picture.score_edges[bin].toPrecision(2)} to ${picture.score_edges[bin + 1].toPrecision(2)}`;
  const head = h("h3", {}, place);
  if (!cell.count) return [head, h("p", {}, "No case of those that judge it lies here.")];
  const seen = h("p", {}, `${counted(cell.count, "case")}, ${number(cell.positive)} of which came true (${share(cell.positive / cell.count)}); the policy’s rate is ${share(cell.rate)}.`);
  try {
    const asked = { score: cell.score, ...(policy.needs_uncertainty ? { uncertainty: cell.uncertainty } : {}) };
    const answer = await post("/v1/decide", asked);
    return [head, h("p", { class: `action ${answer.action}` }, h("b", {}, ACTIONS[answer.action]), ` on its middle case, of score ${answer.score.toPrecision(3)}. `, reason(answer)), seen,
      step?.boundary ? h("p", {}, `At a wanted precision of ${share(step.precision)}: ${ACTIONS[doing(picture, step.boundary, cell)].toLowerCase()}.`) : null].filter(Boolean);
  } catch (error) {
    return [head, seen, h("p", { class: "refused" }, refusal(error))];
  }
}

const ACTIONS = { act: "Act", ask: "Ask somebody", hold: "Hold back" };

const reason = (answer) => {
  const words = answer.why.slice(answer.why.indexOf(":") + 1).trim();
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
};

/** What a step's boundary does on a cell's middle case. */
function doing(picture, boundary, cell) {
  const x = within(picture.score_edges, cell.score), y = within(picture.uncertainty_edges, cell.uncertainty);
  const tall = boundary.across.length / picture.cells.length;
  const i = Math.min(Math.floor(y * tall), boundary.across.length - 1);
  const inside = (line) => line !== null && line[i] !== null && x >= line[i] - 1e-3;
  return inside(boundary.across) ? "act" : inside(boundary.asks) ? "ask" : "hold";
}

/** Where a value lies among edges, in cells. */
function within(edges, value) {
  let bin = 0;
  while (bin < edges.length - 2 && value >= edges[bin + 1]) bin += 1;
  const wide = edges[bin + 1] - edges[bin];
  return bin + (wide > 0 ? Math.min(Math.max((value - edges[bin]) / wide, 0), 1) : 0);
}

/** Acts below which a step says too little to be drawn; it stands in the table. */
const FEWEST = 20;

function frontier(picture) {
  const steps = (name) => picture.steps.map((step) => step[name]).filter((one) => one?.taken >= FEWEST);
  const line = (name) => steps(name).map((one) => [one.recall, one.precision]).sort((a, b) => a[0] - b[0]);
  const percent = (value) => `${Math.round(100 * value)}\u00a0%`;
  const top = Math.max(...steps("boundary").map((one) => one.precision_high), ...steps("single").map((one) => one.precision), picture.own.precision_high ?? 0);
  const { own } = picture;
  const rows = picture.steps.flatMap((step) => [["the policy’s way", step.boundary], ["one threshold", step.single]].map(([name, one]) =>
    [step.precision, name, one?.taken ?? null, one?.recall ?? null, one?.precision ?? null, one?.precision_low ?? null, one?.precision_high ?? null]));
  return plot({
    title: "Precision and recall on these cases", x: { label: "recall: found of what comes true", min: 0, max: 1, format: percent },
    y: { label: "precision: right of what is acted on", min: 0, max: Math.min(top * 1.05, 1), format: percent },
    marks: [
      { draw: "band", points: steps("boundary").map((one) => [one.recall, one.precision_low, one.precision_high]).sort((a, b) => a[0] - b[0]), tone: "next", name: "its 95 % interval" },
      { draw: "line", points: line("boundary"), tone: "next", name: "the policy’s way" },
      { draw: "line", points: line("single"), tone: "before", dashed: true, name: "one threshold" },
      own.taken ? { draw: "points", points: [[own.recall, own.precision, own.precision_low, own.precision_high]], tone: "ink", name: "as served" } : null,
    ].filter(Boolean),
    table: { head: ["wanted precision", "", "acts on", "recall", "precision", "low", "high"], rows },
  });
}

function one(policy) {
  const number_ = (name) => h("input", { name, type: "number", step: "any", inputmode: "decimal", required: true });
  const fields = [field("Score", number_("score")), policy.needs_uncertainty ? field("Uncertainty", number_("uncertainty"), "on the scale that it was fitted on") : null].filter(Boolean);
  return h("section", { "aria-labelledby": "ask" }, h("h2", { id: "ask" }, "Ask about one case"),
    h("p", {}, policy.takes_columns ? "By its score; programs may send the columns of an exposure to " : "Programs ask alike: ", h("code", {}, "POST /v1/decide"), "."),
    asking(fields, "Act on it?", async (form) => {
      const asked = {};
      for (const [name, value] of form) if (value !== "") asked[name] = Number(value);
      const told = await post("/v1/decide", asked);
      return [h("p", { class: "said" }, h("b", {}, ACTIONS[told.action])), h("p", {}, reason(told)),
        h("p", { class: "label" }, `Rate ${share(told.rate)}, between ${share(told.low)} and ${share(told.high)}.`)];
    }));
}
