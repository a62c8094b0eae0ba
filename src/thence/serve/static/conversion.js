/** The page "Conversion": what the model is, whether it is right, how late conversions come, and one exposure asked. */

import { ask } from "./api.js";
import { ageAxis, asking, field, post, span } from "./asking.js";
import { absent, counted, day, h, number, when } from "./dom.js";
import { share } from "./figures.js";
import { plot } from "./plot.js";

const FIT = "thence conversion fit clicks.parquet --window-days 30 --at 2026-08-01 --into MODEL\nthence serve RUN --conversion MODEL";
const JUDGE = "thence conversion judge MODEL later.parquet";

export async function conversionPage(signal) {
  const { models } = await ask("/v1/models", {}, signal);
  if (!models[0].conversion_version) return absent("Conversion", "No conversion model is served. These commands make one and serve it:", FIT);
  const [model, told] = await Promise.all([ask("/v1/convert", {}, signal), ask("/v1/convert/figures", {}, signal)]);
  return h("article", { class: "page conversion" },
    h("h1", { tabindex: "-1" }, "Conversion"),
    h("p", { class: "verdict" }, ...verdict(told.held_out)),
    sums(model, told),
    right(told, model),
    late(told, model),
    one(model, told),
    columns(model));
}

function verdict(held) {
  if (!held) return ["It has not been judged on exposures that it never saw."];
  const said = [h("b", {}, `${share(held.rate)} of the exposures that it never saw converted; it said ${share(held.told)}`)];
  if (held.calibration === null) return [...said, ": none of them converted, so there is nothing to hold it against."];
  const worse = held.plain_nll !== null && held.nll >= held.plain_nll ? " One rate for everybody would have done better." : "";
  return [...said, off(held.calibration, held), worse];
}

/** How far the mean prediction is off, in words, and whether that is more than chance. */
function off(ratio, held) {
  const percent = Math.round(100 * Math.abs(ratio - 1));
  const row = held.ages[0] ?? held.rates[0];
  const sure = held.ages.length ? held.told < row.low || held.told > row.high : true;
  if (!percent || !sure) return ", which is within the noise of so many.";
  return `, ${percent}\u00a0% too ${ratio > 1 ? "high" : "low"}.`;
}

function sums(model, told) {
  const rows = [
    ["model", h("code", {}, model.model_version), `${model.estimator}, ${model.network}`],
    ["knows everything until", day(model.known_until), when(model.known_until).split(", ")[1] ?? null],
    ["a conversion counts within", span(model.label_horizon), `newest final label: ${span(model.label_age)} before`],
    told.delays ? ["final labels that it saw", number(told.delays.exposures), `${number(told.delays.conversions)} converted`] : null,
  ];
  return h("dl", { class: "sums" }, ...rows.filter(Boolean).map(([name, value, more]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value, more ? h("small", {}, more) : null))));
}

function right(told, model) {
  const held = told.held_out;
  if (!held) {
    return h("section", { "aria-labelledby": "right" }, h("h2", { id: "right" }, "Is it right?"),
      h("p", {}, "Nobody has looked yet. This command judges it by exposures that came after its clock and whose labels are final, and keeps the figures in the model; load it again to see them here."),
      h("pre", {}, h("code", {}, JUDGE)));
  }
  return h("section", { "aria-labelledby": "right" }, h("h2", { id: "right" }, "Is it right?"),
    h("p", {}, `Judged by ${counted(held.exposures, "exposure")} made from ${day(held.first)} to ${day(held.last)}, after its clock: it never saw them. ${number(held.conversions)} converted within ${span(model.label_horizon)}. ${plain(held)}`),
    h("div", { class: "figures" }, rates(held), ages(held, told.delays, model)));
}

function plain(held) {
  if (held.plain_nll === null) return "";
  const gain = 1 - held.nll / held.plain_nll;
  const order = held.auc === null ? "" : ` It ranks one that converts above one that does not ${Math.round(100 * held.auc)} times in 100 (AUC).`;
  const everybody = `${share(held.plain_rate)} for everybody, the rate that was known at its clock,`;
  if (gain <= 0) return `${everybody} would have been better: log loss ${held.plain_nll.toFixed(4)} against ${held.nll.toFixed(4)}.${order}`;
  return `Its log loss is ${held.nll.toFixed(4)}; ${everybody} would have had ${held.plain_nll.toFixed(4)}.${order}`;
}

function rates(held) {
  const points = held.rates.map((row) => [row.told, row.seen, row.low, row.high]);
  const end = Math.max(...held.rates.flatMap((row) => [row.told, row.high]));
  const axis = (label) => ({ label, min: 0, max: end * 1.04, format: (value) => `${Math.round(1000 * value) / 10}\u00a0%` });
  return plot({
    title: "Predicted and seen, by tenths of the exposures",
    x: axis("predicted"), y: axis("converted"),
    marks: [
      { draw: "line", points: [[0, 0], [end, end]], tone: "among", dashed: true, name: "if it were right" },
      { draw: "points", points, tone: "next", name: "seen, with its 95 % interval" },
    ],
    table: {
      head: ["predicted, from", "to", "mean", "exposures", "converted", "share", "low", "high"],
      rows: held.rates.map((row) => [row.from, row.to, row.told, row.count, row.conversions, row.seen, row.low, row.high]),
    },
  });
}

function ages(held, delays, model) {
  if (!held.ages.length) return null;
  const x = ageAxis(model.label_horizon, delays.median, "age, nothing having come");
  const first = x.log ? (row) => Math.max(row.age, x.min) : (row) => row.age;
  const end = Math.max(...held.ages.flatMap((row) => [row.told, row.high]));
  return plot({
    title: "What still comes of those silent until an age",
    x, y: { label: "converted later", min: 0, max: end * 1.08, format: (value) => `${Math.round(1000 * value) / 10}\u00a0%` },
    marks: [
      { draw: "line", points: held.ages.map((row) => [first(row), row.told]), tone: "before", dashed: true, name: "predicted" },
      { draw: "points", points: held.ages.map((row) => [first(row), row.seen, row.low, row.high]), tone: "next", name: "seen, with its 95 % interval" },
    ],
    table: {
      head: ["silent until", "exposures", "converted later", "predicted", "share", "low", "high"],
      rows: held.ages.map((row) => [row.age ? span(row.age) : "at once", row.count, row.conversions, row.told, row.seen, row.low, row.high]),
    },
  });
}

function late(told, model) {
  const { delays, held_out: held } = told;
  const section = (...content) => h("section", { "aria-labelledby": "late" }, h("h2", { id: "late" }, "How late conversions come"), ...content);
  if (!delays) {
    return section(h("p", {}, "This model was saved before models kept their delays. Fit it anew, or refresh it, and they stand here."),
      h("pre", {}, h("code", {}, "thence conversion fit clicks.parquet --from MODEL --into MODEL")));
  }
  const x = ageAxis(model.label_horizon, delays.median, "age of the exposure");
  return section(
    h("p", {}, ...reading(delays)),
    h("div", { class: "figures" },
      plot({
        title: "Share of the conversions that have come", x, y: whole("of all that come"),
        marks: [
          { draw: "line", points: pairs(delays.ages, delays.share), tone: "next", name: `known at the clock, ${counted(delays.conversions, "conversion")}` },
          held?.delays.length ? { draw: "line", points: pairs(delays.ages, held.delays), tone: "before", dashed: true, name: `seen since, ${counted(held.conversions, "conversion")}` } : null,
        ].filter(Boolean),
      }),
      told.own_delays ? groups(held, delays, x) : read(delays)),
    told.own_delays ? read(delays) : null);
}

const whole = (label) => ({ label, min: 0, max: 1, format: (value) => `${Math.round(100 * value)}\u00a0%` });
const pairs = (ages, shares) => ages.map((age, i) => [age, shares[i]]);

/** What the label of a young exposure is worth, in a sentence. */
function reading(delays) {
  const some = delays.reading.find((row) => row.share >= 0.3 && row.share <= 0.7) ?? delays.reading.at(-1);
  if (!some) return ["Conversions come at once: a label is final almost from the beginning."];
  return [h("b", {}, `After ${span(some.age)} ${share(some.share)} of the conversions have come.`),
    ` An exposure of that age that has not converted is not a no: of those that will, ${share(1 - some.share)} are still to come.`];
}

function read(delays) {
  return h("div", { class: "reading" }, h("h3", {}, "How to read a young label"),
    h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "after"), h("th", { scope: "col", class: "figure" }, "have come"), h("th", { scope: "col", class: "figure" }, "still to come"))),
      h("tbody", {}, ...delays.reading.map((row) => h("tr", {}, h("th", { scope: "row" }, span(row.age)),
        h("td", { class: "figure" }, share(row.share)), h("td", { class: "figure" }, share(1 - row.share)))))));
}

const TONES = { quick: "next", median: "among", slow: "before" };

function groups(held, delays, x) {
  if (!held?.groups.length) return h("p", {}, "This model knows a delay of each exposure; once it is judged, quick and slow ones stand here.");
  return plot({
    title: "The same by how soon the model expects them, in thirds", x, y: whole("of all that come"),
    marks: held.groups.flatMap((group) => [
      { draw: "line", points: pairs(delays.ages, group.told), tone: TONES[group.name], name: `${group.name}, predicted` },
      group.seen.length ? { draw: "line", points: pairs(delays.ages, group.seen), tone: TONES[group.name], dashed: true, name: "seen" } : null,
    ].filter(Boolean)),
  });
}

function one(model, told) {
  const fields = model.columns.map((column, i) => field(column.name, control(column, i), HINTS[column.kind]));
  const silent = told.delays || told.own_delays;
  if (silent) {
    fields.push(field("Silent for, days", h("input", { name: "elapsed", type: "number", min: "0", step: "any", inputmode: "decimal" }), "nothing has come since the exposure"));
  }
  return h("section", { "aria-labelledby": "ask" }, h("h2", { id: "ask" }, "Ask about one exposure"),
    h("p", {}, "Leave empty what is not known. ", h("code", {}, "POST /v1/convert"), " answers programs alike."),
    asking(fields, "Will it convert?", async (form) => {
      const asked = Object.fromEntries(model.columns.map((column, i) => [column.name, value(column, form.get(`column-${i}`))]));
      const days = form.get("elapsed");
      return answer(await post("/v1/convert", { columns: asked, ...(days ? { elapsed: Number(days) * 86400 } : {}) }), model);
    }));
}

const HINTS = { text: "words", integer: "a whole number", any: "words", code: "a code", number: "a number" };

function control(column, i) {
  const name = `column-${i}`;
  if (column.kind === "number") return h("input", { name, type: "number", step: "any", inputmode: "decimal" });
  if (column.kind === "integer") return h("input", { name, type: "number", step: "1", inputmode: "numeric" });
  if (column.kind === "code") return h("input", { name, type: "number", min: "0", max: column.buckets - 1, step: "1", value: "0", inputmode: "numeric" });
  return h("input", { name, type: "text", maxlength: "1024", spellcheck: "false" });
}

function value(column, text) {
  if (text === null || text === "") return column.kind === "code" ? 0 : null;
  return column.kind === "text" || column.kind === "any" ? text : Number(text);
}

function answer(told, model) {
  const lines = [h("p", { class: "said" }, h("b", {}, share(told.probability)), ` to convert within ${span(model.label_horizon)} of the exposure`)];
  if (told.later !== null) {
    lines.push(h("p", { class: "said" }, h("b", {}, share(told.later)), ` to convert still, as nothing has come for ${span(told.elapsed)}`),
      h("p", { class: "label" }, `By then ${share(told.come)} of the conversions of such an exposure have come. What was done about it since, such as a cart, is not looked at.`));
  }
  return lines;
}

function columns(model) {
  return h("section", { "aria-labelledby": "columns" }, h("h2", { id: "columns" }, "What it looks at"),
    h("details", { class: "numbers" }, h("summary", {}, counted(model.columns.length, "column")),
      h("table", {}, h("thead", {}, h("tr", {}, ...["column", "kind", "buckets"].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, ...model.columns.map((column) => h("tr", {}, h("th", { scope: "row" }, column.name),
          h("td", {}, column.kind), h("td", {}, column.buckets === null ? "" : number(column.buckets))))))));
}
