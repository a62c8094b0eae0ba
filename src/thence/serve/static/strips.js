/** Methods as a table with a strip each: a dot for the figure, a line for its interval, all on one scale. */

import { h, s, scroller } from "./dom.js";
import { change, gloss, metricName } from "./figures.js";

export function strips(told, metric) {
  const rows = told.ordered(metric);
  const best = told.ordered(metric, "all", told.baselines)[0] ?? null;
  const ends = rows.flatMap((row) => [row.value, row.low ?? row.value, row.high ?? row.value]);
  const zero = metric.endsWith("_auc") || metric.startsWith("direction_auc") ? Math.min(0.5, ...ends) : Math.min(0, ...ends);
  const top = Math.max(...ends);
  const at = (value) => Math.round(((value - zero) / (top - zero || 1)) * 1000) / 10;
  return scroller(`${metricName(metric)} of each method`, h("table", { class: "strips" },
    h("caption", { class: "unseen" }, `${metricName(metric)} of each method, the best first`),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "method"), h("td", {}, zero === 0.5 ? "from 0.5, a coin" : "from 0"),
      h("th", { scope: "col", class: "figure" }, metricName(metric)), h("th", { scope: "col", class: "figure" }, "against the best plain one"))),
    h("tbody", {}, ...rows.map((row) => line(told, row, metric, best, at)))));
}

function line(told, row, metric, best, at) {
  const plain = told.baselines.includes(row.method);
  const words = gloss(row.method);
  return h("tr", { class: plain ? "plain" : "ours" },
    h("th", { scope: "row" }, row.method, words ? h("small", {}, words) : null),
    h("td", { class: "strip-cell" }, strip(row, best, at)),
    h("td", { class: "figure" }, row.value.toFixed(4), row.low === null ? null : h("small", {}, `${row.low.toFixed(4)} – ${row.high.toFixed(4)}`)),
    h("td", { class: "figure gap" }, ...against(told, row, metric, best)));
}

function strip(row, best, at) {
  const y = 7;
  return s("svg", { class: "strip", viewBox: "-2 0 104 14", preserveAspectRatio: "none", "aria-hidden": "true" },
    s("line", { class: "ground", x1: 0, x2: 100, y1: y, y2: y }),
    best ? s("line", { class: "mark", x1: at(best.value), x2: at(best.value), y1: 0, y2: 14 }) : null,
    row.low === null ? null : s("line", { class: "sure", x1: at(row.low), x2: at(row.high), y1: y, y2: y }),
    s("line", { class: "dot", x1: at(row.value), x2: at(row.value), y1: y, y2: y }));
}

function against(told, row, metric, best) {
  if (!best || !best.value) return ["–"];
  if (row.method === best.method) return ["the mark"];
  const gap = told.gap(row.method, metric);
  const known = gap && gap.rival === best.method && gap.low !== null;
  return [change(row.value / best.value - 1), known ? h("small", {}, `${change(gap.low)} to ${change(gap.high)}`) : null];
}
