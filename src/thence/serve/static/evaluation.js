/** The evaluation in a minute: the verdict in one sentence, who finds what comes next, and where a plain method wins. */

import { ask } from "./api.js";
import { absent, counted, day, h, number, scroller } from "./dom.js";
import { change, DESCRIBES, duel, figures, gloss, lost, metricName, share, sliceName } from "./figures.js";
import { plot } from "./plot.js";
import { strips } from "./strips.js";

export async function evaluationPage(signal) {
  let report;
  try {
    report = await ask("/report.json", {}, signal);
  } catch (error) {
    if (error.status !== 404) throw error;
    return absent("Evaluation", "What is served here was not judged, so there is nothing to show.", "thence evaluate RUN");
  }
  const told = figures(report);
  if (!told) return absent("Evaluation", "This report holds no figures of methods.", "thence evaluate RUN");
  return h("article", { class: "page evaluation" },
    head(told), ranking(told), buckets(told), slices(told), direction(told), losses(told), beyond(told), meanings(told));
}

function head(told) {
  const { info } = told;
  const from = info["test from"] ? `what came after ${day(info["test from"])}` : null;
  const judged = [info.title, info.protocol?.protocol, from].filter(Boolean).join(" · ");
  const counts = info.counts ?? {};
  const sums = [["cases judged", counts.cases], ["products asked about", counts.queries], ["customers", counts.groups], ["products in all", counts.nodes]];
  return h("header", {},
    h("h1", { tabindex: "-1" }, "Evaluation"),
    judged ? h("p", { class: "label" }, judged) : null,
    h("p", { class: "verdict" }, ...verdict(told)),
    h("p", { class: "lead" }, chance(told) ?? "", ...honesty(told)),
    counts.cases ? h("dl", { class: "sums" }, ...sums.filter(([, count]) => count).map(([name, count]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, number(count))))) : null);
}

function verdict(told) {
  const k = told.headline.split("@")[1];
  const found = duel(told, told.headline);
  const finds = (row) => (told.headline.startsWith("HR@")
    ? `${share(row.value)} of what customers went on to buy among its first ${k}` : `${row.value.toFixed(4)} on ${metricName(told.headline)}`);
  if (!found) return ["There is nothing to compare: only one kind of method was judged."];
  const { ours, plain, gap, relative, ahead, clear } = found;
  const far = relative === null ? "" : `: ${change(Math.abs(relative)).slice(1) || "0 %"} ${ahead ? "more" : "less"}`;
  const ends = gap ? ` (${Math.round(told.confidence * 100)} % interval ${change(gap.low)} to ${change(gap.high)})` : "";
  const noise = clear === false ? ", which is within the noise" : "";
  const reading = h("b", {}, ours.method === "ours" ? "The model" : ours.method);
  if (ahead) return [reading, ` finds ${finds(ours)}. The best plain method, ${plain.method}, finds ${share(plain.value)}${far}${noise}${ends}.`];
  return [h("b", {}, "No learned method beats the plain ones."), ` ${plain.method} finds ${finds(plain)}; ${ours.method} finds ${share(ours.value)}${far}${noise}${ends}.`];
}

/** What a list drawn at random would find: what the figures are to be held against. */
function chance(told) {
  const nodes = told.info.counts?.nodes, k = Number(told.headline.split("@")[1]);
  if (!nodes || !told.headline.startsWith("HR@")) return null;
  return `A list drawn at random from these ${number(nodes)} products finds ${share(Math.min(k / (nodes - 1), 1))}. `;
}

function honesty(told) {
  const { compared, lost: gone } = lost(told);
  const report = [" Every figure is in ", h("a", { href: "/report" }, "the full report"), "."];
  if (!compared.length) return report;
  if (gone.length === compared.length) return ["A plain method is better on ", h("a", { href: "#behind" }, gone.length === 1 ? "the only figure" : `all ${gone.length} figures`), " compared here.", ...report];
  if (!gone.length) return [`It is ahead of every plain method on all ${compared.length} figures compared here.`, ...report];
  return [`It is not ahead everywhere: a plain method is better on `, h("a", { href: "#behind" }, `${gone.length} of ${compared.length} figures`), ".", ...report];
}

function ranking(told) {
  const place = h("div", {});
  const draw = (metric) => place.replaceChildren(strips(told, metric));
  const choice = h("select", { id: "measure" }, ...told.metrics.filter((metric) => !DESCRIBES.has(metric)).map((metric) =>
    h("option", { value: metric, selected: metric === told.headline }, metricName(metric))));
  choice.addEventListener("change", () => draw(choice.value));
  draw(told.headline);
  return section("who", "Who finds what comes next",
    "Each method fills a list for every product; the dot says how often what was bought next stood on it, the line how sure that is.",
    h("p", { class: "choose" }, h("label", { for: "measure" }, "Measure "), choice), place);
}

/** By how often the query was bought: the best learned method and the best plain one stand out. */
function buckets(told) {
  const names = told.buckets;
  if (names.length < 2) return null;
  const found = duel(told, told.headline);
  const line = (method) => names.map((name, i) => [i, told.figure(method, told.headline, `degree ${name}`)]).filter(([, row]) => row !== null && row.value !== null);
  const strong = (row, tone) => {
    const points = line(row.method);
    const band = points.every(([, one]) => one.low !== null) ? [{ draw: "band", tone, points: points.map(([i, one]) => [i, one.low, one.high]) }] : [];
    return [...band, { draw: "line", tone, name: row.method, points: points.map(([i, one]) => [i, one.value]) },
      { draw: "points", tone, points: points.map(([i, one]) => [i, one.value]) }];
  };
  const quiet = told.methods.filter((method) => method !== found?.ours.method && method !== found?.plain.method)
    .map((method, i) => ({ draw: "line", tone: "among", name: i ? null : "the others", thin: true, points: line(method).map(([at, one]) => [at, one.value]) }));
  const marks = [...quiet, ...(found ? [...strong(found.plain, "before"), ...strong(found.ours, "next")] : [])];
  const head_ = ["method", ...names];
  const rows = told.ordered(told.headline).map(({ method }) => [method, ...names.map((name) => told.figure(method, told.headline, `degree ${name}`)?.value ?? "")]);
  return section("degree", "Products seldom bought, products often bought",
    "The same figure by how many others the product was joined to before; each group holds about as many products. Bands are intervals.",
    plot({ title: `${told.headline} by how much was known of the product`, height: 300, marks, table: { head: head_, rows },
      x: { label: "arcs known of the product, from", min: -0.15, max: names.length - 0.85, ticks: names.map((_, i) => i), format: (i) => `${number(parseFloat(names[i]))}+` },
      y: { label: told.headline, min: 0 } }));
}

function slices(told) {
  if (!told.slices.length) return null;
  const rows = told.slices.map((slice) => ({ slice, ...duel(told, told.headline, slice) })).filter((row) => row.ours);
  if (!rows.length) return null;
  return section("slices", "Where an average hides it", "The best learned method beside the best plain one, chosen for each row anew, which favours the plain ones.",
    duels(rows.map((row) => ({ ...row, name: sliceName(row.slice), note: told.info.slices?.[row.slice] ? counted(told.info.slices[row.slice].cases, "case") : null })), "part of the cases"));
}

function duels(rows, first) {
  const figure = (row) => [row.value.toFixed(4), h("small", {}, row.method)];
  return scroller(`By ${first}`, h("table", { class: "duels" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, first),
      ...["best learned", "best plain", "difference"].map((words) => h("th", { scope: "col", class: "figure" }, words)))),
    h("tbody", {}, ...rows.map((row) => h("tr", { class: row.ahead ? null : "behind" },
      h("th", { scope: "row" }, row.name, row.note ? h("small", {}, row.note) : null),
      h("td", { class: "figure" }, ...figure(row.ours)), h("td", { class: "figure" }, ...figure(row.plain)),
      h("td", { class: "figure gap" }, row.relative === null ? "–" : change(row.relative),
        h("small", {}, row.gap ? `${change(row.gap.low)} to ${change(row.gap.high)}` : row.ahead ? "ahead" : "the plain one is ahead")))))));
}

function direction(told) {
  const names = ["existence_auc", "direction_auc", "direction_auc_paired", "direction_auc_matched"].filter((name) => told.metrics.includes(name));
  const notes = {
    existence_auc: "an arc that came later scores above a random pair",
    direction_auc: "a one-way arc above the reverse of one, all pooled",
    direction_auc_paired: "a one-way arc above its own reverse",
    direction_auc_matched: "the same among products of about equal popularity",
  };
  const rows = names.map((name) => ({ name: metricName(name), note: notes[name], ...duel(told, name) })).filter((row) => row.ours);
  if (!rows.length) return null;
  return section("direction", "Which way the arrow points", "A coin gets 0.5, and so does every method that treats A after B as B after A.", duels(rows, "measure"));
}

function losses(told) {
  const { compared, lost: gone } = lost(told);
  if (!compared.length) return null;
  const words = ({ metric, slice, ours, plain, clear }) => h("li", {}, h("b", {}, plain.method),
    ` before ${ours.method} on ${metricName(metric)}${slice === "all" ? "" : ` for ${sliceName(slice)}`}: ${plain.value.toFixed(4)} to ${ours.value.toFixed(4)}`,
    clear === false ? ", within the noise" : "", ".");
  return section("behind", "Where a plain method is ahead",
    gone.length ? "The plain method is the best of all of them on that figure, chosen after the fact." : `On none of the ${compared.length} figures compared here.`,
    gone.length ? h("ul", { class: "behind-list" }, ...gone.map(words)) : null);
}

function beyond(told) {
  const names = ["coverage", "popularity_bias", "gini"].filter((name) => told.metrics.includes(name));
  if (!names.length) return null;
  const order = told.ordered(told.headline).map(({ method }) => method);
  return section("beyond", "Beyond accuracy",
    "Coverage: the share of the catalogue that stands on at least one list. Popularity bias: 0.5 is random, 1 the best seller alone. "
    + "Gini: 0 lists all products alike, 1 one product only.",
    scroller("Beyond accuracy", h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "method"),
      ...names.map((name) => h("th", { scope: "col", class: "figure" }, metricName(name))))),
    h("tbody", {}, ...order.map((method) => h("tr", { class: told.learned.includes(method) ? "ours" : null }, h("th", { scope: "row" }, method),
      ...names.map((name) => h("td", { class: "figure" }, told.figure(method, name)?.value?.toFixed(3) ?? "–"))))))));
}

function meanings(told) {
  const known = told.methods.filter(gloss);
  const terms = [
    ["HR@k", "The share of cases whose right product is among the first k of the list."],
    ["MRR@k", "The mean of 1 / rank of the right product, 0 beyond the first k."],
    ["Recall@k", "Of all that was right for a product, the share among the first k; a mean over products."],
    ["NDCG@k", "The same with earlier places counting more, over that of a perfect list."],
    ["Intervals", `${Math.round(told.confidence * 100)} % bootstrap intervals from draws of whole customers; differences are paired.`],
    ...known.map((method) => [method, `${gloss(method)}${told.baselines.includes(method) ? " (plain)" : " (learned)"}`]),
  ];
  return h("details", { class: "numbers meanings" }, h("summary", {}, "What the words mean"),
    h("dl", {}, ...terms.map(([term, words]) => h("div", {}, h("dt", {}, term), h("dd", {}, words)))));
}

function section(id, title, words, ...children) {
  return h("section", { id, "aria-labelledby": `${id}-title` }, h("h2", { id: `${id}-title` }, title), h("p", {}, words), ...children);
}
