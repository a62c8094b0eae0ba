/** What the model was learned from: rows and what became of them, events over time and by kind, and the graph. */

import { ask } from "./api.js";
import { absent, counted, day, h, number, percent, scroller } from "./dom.js";
import { numbers, plot } from "./plot.js";

const RELATIONS = {
  bought_after: "bought after: one customer, a later basket",
  same_basket: "same basket: bought together",
  substitute: "substitute: one in place of the other",
  co_viewed: "viewed in one session",
};

export async function dataPage(signal) {
  let facts;
  try {
    facts = await ask("/v1/data", {}, signal);
  } catch (error) {
    if (error.status !== 404) throw error;
    return absent("Data", "Models are served here without items, so there is no log and no graph to show.", "thence serve RUN");
  }
  const { log, graph } = facts;
  return h("article", { class: "page data" },
    h("h1", { tabindex: "-1" }, "Data"),
    h("p", { class: "verdict" }, ...(log ? told(log, graph) : untold(graph))),
    log ? null : h("p", { class: "lead" }, "This bundle was made before runs kept the counts of their log. Judging the run again adds them: ",
      h("code", {}, "thence evaluate RUN"), "."),
    log ? sums(log) : null,
    log ? rows(log) : null,
    log ? events(log) : null,
    arcs(graph),
    degrees(graph));
}

function told(log, graph) {
  const span = log.first ? ` between ${day(log.first)} and ${day(log.last)}` : "";
  return [h("b", {}, counted(log.events, "event")), ` of ${counted(log.users, "customer")}${span}, made into ${counted(arcsOf(graph), "arc")} among ${counted(graph.items, "product")}.`];
}

const untold = (graph) => [h("b", {}, counted(arcsOf(graph), "arc")), ` among ${counted(graph.items, "product")}.`];
const arcsOf = (graph) => graph.relations.reduce((sum, one) => sum + one.arcs, 0);

function total(log) {
  const sources = log.sources.filter((source) => !source.catalogue);
  const sum = (name) => sources.reduce((all, source) => all + (source[name] ?? 0), 0);
  return { read: sum("read"), accepted: sum("accepted"), quarantined: sum("quarantined"), duplicates: sum("duplicates"), sources };
}

function sums(log) {
  const { read, accepted, quarantined, duplicates } = total(log);
  const part = (count) => (read ? h("small", {}, `${share(count / read)} of the rows`) : null);
  const cards = read
    ? [["rows read", read], ["accepted", accepted, part(accepted)], ["quarantined", quarantined, part(quarantined)], ["duplicates", duplicates, part(duplicates)]]
    : [["events", log.events], ["customers", log.users], ["products with events", log.items], ["products in the catalogue", log.catalogue]];
  return h("dl", { class: "sums" }, ...cards.map(([name, count, note]) => h("div", {}, h("dt", {}, name), h("dd", {}, number(count), note ?? null))));
}

/** "0.4 %", and never "0 %" of something. */
function share(value) {
  if (!value) return "0\u00a0%";
  if (value < 0.0001) return "less than 0.01\u00a0%";
  return `${Number((100 * value).toPrecision(value > 0.999 && value < 1 ? 4 : 3))}\u00a0%`;
}

function rows(log) {
  const { read, sources } = total(log);
  if (!log.sources.length) return section("rows", "What became of the rows", "This log was written by a program, not read from files: no row was refused.");
  const worst = Math.max(...log.refused.map((one) => one.rows), 1);
  const words = log.refused.length
    ? "Every row read is accepted, kept aside with the reason, or a duplicate. Refused rows lie in quarantine.parquet of the log, with file, offset and their beginning."
    : `Every row read was accepted or a duplicate; none was refused.`;
  return section("rows", "What became of the rows", words,
    log.refused.length ? scroller("Refused rows by reason", h("table", { class: "reasons" }, h("caption", { class: "unseen" }, "Refused rows by reason"),
      h("thead", {}, h("tr", {}, ...["refused because", "of", "rows"].map((name, i) => h("th", { scope: "col", class: i === 2 ? "figure" : null }, name)), h("td", { "aria-hidden": "true" }))),
      h("tbody", {}, ...log.refused.map((one) => h("tr", {}, h("th", { scope: "row" }, one.reason), h("td", {}, one.catalogue ? "the catalogue" : "events"),
        h("td", { class: "figure" }, number(one.rows)), h("td", { class: "length", "aria-hidden": "true" }, bar(one.rows / worst))))))) : null,
    read ? sourcesTable(log) : null);
}

function bar(length) {
  const made = h("span", { class: "bar" });
  made.style.setProperty("--length", length.toFixed(3));
  return made;
}

function sourcesTable(log) {
  return numbers({
    head: ["source", "rows read", "accepted", "quarantined", "duplicates"],
    rows: log.sources.map((source) => [`${source.name}${source.catalogue ? " (catalogue)" : ""}`, source.read, source.accepted ?? "–", source.quarantined, source.duplicates ?? "–"]),
  }, "Sources", "Source by source");
}

function events(log) {
  const step = log.bin_days * 86_400_000;
  const bars = log.over_time.map(([from, count]) => [Date.parse(from), Date.parse(from) + step, count]);
  const each = log.bin_days === 1 ? "a day" : log.bin_days === 7 ? "a week" : `${log.bin_days} days`;
  const most = Math.max(...Object.values(log.kinds), 1);
  return section("events", "What customers did, and when",
    `${counted(log.items, "product")} have events; the catalogue describes ${number(log.catalogue)}.`,
    h("div", { class: "figures uneven" },
      bars.length ? plot({ title: `Events, ${each} a bar`, x: { label: "", format: (at) => day(at), ticks: dates(bars) }, y: { label: "events", min: 0 },
        marks: [{ draw: "bars", points: bars }],
        table: { head: ["from", "events"], rows: log.over_time.map(([from, count]) => [day(from), count]) } }) : null,
      h("table", { class: "kinds" }, h("caption", {}, "Events by kind"), h("tbody", {}, ...Object.entries(log.kinds).map(([kind, count]) =>
        h("tr", {}, h("th", { scope: "row" }, kind), h("td", { class: "figure" }, number(count)), h("td", { class: "length", "aria-hidden": "true" }, bar(count / most))))))));
}

/** Three or four days to write below the bars. */
function dates(bars) {
  const first = bars[0][0], last = bars.at(-1)[0];
  const count = Math.min(4, bars.length);
  return Array.from({ length: count }, (_, i) => bars[Math.round((i * (bars.length - 1)) / Math.max(count - 1, 1))][0]).filter((at, i, all) => all.indexOf(at) === i && at >= first && at <= last);
}

function arcs(graph) {
  const alone = graph.isolated ? `${counted(graph.isolated, "product")} (${share(graph.isolated / graph.items)}) ${graph.isolated === 1 ? "has" : "have"} no arc at all.` : "Every product has an arc.";
  return section("graph", "The graph",
    `An arc leads from one product to another. It is one-way where its reverse does not exist, and clear where its direction is at least two standard errors from chance. ${alone}`,
    scroller("The relations of the graph", h("table", {},
      h("thead", {}, h("tr", {}, ...["relation", "arcs", "one-way", "clear", "leaving a product", "arriving"].map((name, i) => h("th", { scope: "col", class: i ? "figure" : null }, name)))),
      h("tbody", {}, ...graph.relations.map((one) => h("tr", {}, h("th", { scope: "row" }, one.relation, RELATIONS[one.relation] ? h("small", {}, RELATIONS[one.relation].split(": ").at(-1)) : null),
        h("td", { class: "figure" }, number(one.arcs)),
        h("td", { class: "figure" }, one.directed ? percent(one.one_way_share) : "both ways"),
        h("td", { class: "figure" }, one.directed ? percent(one.clear_share) : "–"),
        h("td", { class: "figure" }, ...degree(one.leaving)), h("td", { class: "figure" }, ...degree(one.arriving))))))));
}

const degree = (one) => [`median ${number(one.median)}`, h("small", {}, `at most ${number(one.max)}`)];

/** How many products have so many arcs; both axes are logarithmic, bins double in width. */
function degrees(graph) {
  const points = (bins) => bins.filter((bin) => bin.low > 0).map((bin) => [bin.low, bin.items]);
  const drawn = graph.relations.filter((one) => one.arcs);
  if (!drawn.length) return null;
  return section("degrees", "How many arcs a product has",
    "Products counted by their number of arcs, in groups that double in width; both axes are logarithmic.",
    h("div", { class: "figures" }, ...drawn.map((one) => plot({
      title: one.relation, x: { label: "arcs, at least", log: true }, y: { label: "products", log: true, min: 1 }, height: 240,
      marks: one.directed ? [...joined(points(one.leaving.bins), "next", "leaving"), ...joined(points(one.arriving.bins), "before", "arriving")] : joined(points(one.leaving.bins), "next", "arcs"),
      table: { head: ["arcs", "products, leaving", "products, arriving"], rows: both(one) },
    }))));
}

const joined = (points, tone, name) => [{ draw: "line", tone, name, points }, { draw: "points", tone, points }];

function both({ leaving, arriving }) {
  const at = (bins) => new Map(bins.map((bin) => [bin.low, bin]));
  const out = at(leaving.bins), into = at(arriving.bins);
  return [...new Set([...out.keys(), ...into.keys()])].sort((a, b) => a - b).map((low) => {
    const { high } = out.get(low) ?? into.get(low);
    return [low === high ? number(low) : `${number(low)} to ${number(high)}`, out.get(low)?.items ?? 0, into.get(low)?.items ?? 0];
  });
}

function section(id, title, words, ...children) {
  return h("section", { id, "aria-labelledby": `${id}-title` }, h("h2", { id: `${id}-title` }, title), h("p", {}, words), ...children);
}
