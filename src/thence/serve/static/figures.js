/** A report's figures, looked up and put in words; read from the whole report or, in older bundles, from its names alone. */

import { number } from "./dom.js";

const ALL = "all";
const LEARNED = /^(ours|embeddings|reranked|student)$/;
/** No more is better here: they describe, they do not judge. */
export const DESCRIBES = new Set(["coverage", "popularity_bias", "gini", "direction_gain"]);

export const METRICS = {
  existence_auc: "existence AUC",
  direction_auc: "direction AUC",
  direction_auc_paired: "direction AUC, paired",
  direction_auc_matched: "direction AUC, popularity matched",
  direction_gain: "gain over in-degree",
  coverage: "coverage",
  popularity_bias: "popularity bias",
  gini: "Gini coefficient",
};

export const SLICES = {
  low_degree: "products rarely bought",
  mid_degree: "products bought now and then",
  high_degree: "products often bought",
  one_way: "one-way arcs",
  cold: "targets never seen before",
  cold_source: "products never seen before",
};

const METHODS = {
  ours: "the model",
  embeddings: "the model’s first stage alone",
  popularity: "what is bought most",
  counts: "how often both were bought together",
  recent_counts: "how often both were bought together, lately above all",
  backed_off: "how often both, or else their kinds, were bought together",
  lift: "together more often than chance",
  reverse: "the same arcs turned round",
  item_cf: "what similar products lead to",
  svd: "factors of the counts",
  page_rank: "where a walk along the arcs ends",
  page_rank_both: "where a walk along the arcs ends, either way",
};
export const gloss = (method) => METHODS[method] ?? null;
export const metricName = (metric) => METRICS[metric] ?? metric;
export const sliceName = (slice) => SLICES[slice] ?? slice.replace("_", " ");

/** The figures in one shape, whichever bundle they come from; null where there are none. */
export function figures(report) {
  const whole = report.report;
  const rows = whole ? whole.figures : flat(report);
  if (!rows.length) return null;
  const at = new Map(rows.map((row) => [`${row.method}\t${row.metric}\t${row.slice}`, row]));
  const methods = [...new Set(rows.map((row) => row.method))];
  const baselines = whole?.baselines ?? methods.filter((method) => !LEARNED.test(method));
  const gaps = new Map((whole?.gaps ?? []).map((gap) => [`${gap.method}\t${gap.metric}\t${gap.slice}`, gap]));
  const metrics = [...new Set(rows.filter((row) => row.slice === ALL).map((row) => row.metric))];
  const headline = whole?.info?.headline ?? (metrics.includes("HR@10") ? "HR@10" : metrics[0]);
  const figure = (method, metric, slice = ALL) => at.get(`${method}\t${metric}\t${slice}`) ?? null;
  const ordered = (metric, slice = ALL, among = methods) => among.map((method) => figure(method, metric, slice))
    .filter((row) => row !== null && row.value !== null).sort((a, b) => b.value - a.value);
  return {
    info: whole?.info ?? {}, rows, methods, baselines, metrics, headline, figure, ordered,
    learned: methods.filter((method) => !baselines.includes(method)),
    slices: [...new Set(rows.map((row) => row.slice))].filter((slice) => slice !== ALL && !slice.startsWith("degree ")),
    buckets: whole?.info?.buckets?.map((bucket) => bucket.name)
      ?? [...new Set(rows.map((row) => row.slice))].filter((slice) => slice.startsWith("degree ")).map((slice) => slice.slice(7)).sort((a, b) => parseFloat(a) - parseFloat(b)),
    gap: (method, metric, slice = ALL) => gaps.get(`${method}\t${metric}\t${slice}`) ?? null,
    confidence: whole?.info?.settings?.confidence ?? 0.95,
  };
}

/** METHOD.METRIC or METHOD.METRIC.SLICE, as older bundles hold them. */
function flat(report) {
  return Object.entries(report).flatMap(([name, value]) => {
    const [method, metric, ...slice] = name.split(".");
    if (!metric || method === "best_baseline" || typeof value !== "number") return [];
    return [{ method, metric, slice: slice.length ? slice.join(".") : ALL, value, low: null, high: null }];
  });
}

/** "2.67 %": a share, of three digits. */
export const share = (value) => `${(100 * value).toFixed(value >= 0.09995 ? 1 : 2)}\u00a0%`;

/** "+9 %", "−12 %", "0 %": a relative change. */
export function change(value) {
  const whole = Math.round(100 * value);
  return `${whole > 0 ? "+" : whole < 0 ? "−" : ""}${number(Math.abs(whole))}\u00a0%`;
}

/** The best learned method against the best plain baseline on one figure: who, how far, and whether it is clear. */
export function duel(told, metric, slice = "all") {
  const [ours] = told.ordered(metric, slice, told.learned);
  const [plain] = told.ordered(metric, slice, told.baselines);
  if (!ours || !plain) return null;
  const known = told.gap(ours.method, metric, slice);
  const gap = known && known.low !== null && known.rival === plain.method ? known : null;
  const relative = plain.value ? ours.value / plain.value - 1 : null;
  return { ours, plain, gap, relative, ahead: ours.value >= plain.value, clear: gap ? gap.low > 0 || gap.high < 0 : null };
}

/** Figures on which a plain baseline is ahead, of those that matter: the headline's length, its slices, direction. */
export function lost(told) {
  const ending = `@${told.headline.split("@")[1]}`;
  const matters = told.metrics.filter((metric) => !DESCRIBES.has(metric) && (!metric.includes("@") || metric.endsWith(ending)));
  const compared = [...matters.map((metric) => [metric, ALL]), ...told.slices.map((slice) => [told.headline, slice])]
    .map(([metric, slice]) => ({ metric, slice, ...duel(told, metric, slice) })).filter((one) => one.ours);
  return { compared, lost: compared.filter((one) => !one.ahead) };
}
