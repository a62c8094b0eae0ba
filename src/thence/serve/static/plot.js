/** Plots in SVG: lines, steps, points with error bars, bars, bands and rules, on linear or logarithmic axes.
 *
 * plot({ title, x: axis, y: axis, marks }) is a <figure>: a picture with a name for screen readers, a legend, and
 * its numbers as a table behind a disclosure. An axis is { label, min?, max?, log?, ticks?, format? }. A mark is
 * { draw, points, name?, tone?, dashed?, thin? }, with tone one of "next", "before", "among", "ink" and draw one of
 *   "line", "steps"  points [x, y]
 *   "points"         points [x, y, low?, high?]
 *   "bars"           points [from, to, y]
 *   "band"           points [x, low, high]
 *   "rule"           at: a number, axis: "x" or "y"
 * All text becomes text nodes. It lays itself out again when its width changes.
 */

import { h, s, scroller } from "./dom.js";

const EDGE = { top: 30, right: 20, bottom: 44, left: 52 };
const short = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 3, notation: "compact" });

export function plot({ title, x, y, marks, height = 260, table = null }) {
  const canvas = h("div", { class: "plot-canvas" });
  canvas.style.setProperty("--plot-height", `${height}px`);
  const named = marks.filter((mark) => mark.name);
  const figure = h("figure", { class: "plot" },
    h("p", { class: "plot-title" }, title),
    canvas,
    named.length > 1 ? h("figcaption", {}, ...named.map(key)) : null,
    numbers(table ?? tabled(x, y, marks), title));
  let width = 0;
  new ResizeObserver(() => {
    if (!canvas.clientWidth || canvas.clientWidth === width) return;
    width = canvas.clientWidth;
    canvas.replaceChildren(picture(title, x, y, marks, width, height));
  }).observe(canvas);
  return figure;
}

const key = (mark) => h("span", { class: `plot-key ${toned(mark)}` }, mark.name);
const toned = (mark) => [`draw-${mark.draw}`, `tone-${mark.tone ?? "next"}`, mark.dashed && "dashed", mark.thin && "thin"].filter(Boolean).join(" ");

/** A table of numbers behind a disclosure; `rows` hold text or numbers. */
export function numbers({ head, rows }, title, summary = "Numbers") {
  const cell = (value, i) => h(i ? "td" : "th", i ? {} : { scope: "row" }, said(value));
  return h("details", { class: "numbers" }, h("summary", {}, summary),
    scroller(`${title}, as a table`, h("table", {}, h("caption", { class: "unseen" }, title),
      h("thead", {}, h("tr", {}, ...head.map((words) => h("th", { scope: "col" }, words)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map(cell)))))));
}

const said = (value) => (typeof value !== "number" ? value ?? "" : Number.isInteger(value) ? value.toLocaleString("en-GB") : String(Number(value.toPrecision(4))));

function tabled(x, y, marks) {
  const shown = marks.filter((mark) => mark.points);
  const several = shown.length > 1;
  const ranged = shown.some((mark) => mark.draw === "band" || (mark.draw === "points" && mark.points.some((point) => point.length > 3)));
  const binned = shown.some((mark) => mark.draw === "bars");
  const row = (mark, point) => {
    const [from, to, value, low, high] = mark.draw === "bars" ? point
      : mark.draw === "band" ? [point[0], null, null, point[1], point[2]] : [point[0], null, point[1], point[2], point[3]];
    return [...(several ? [mark.name ?? ""] : []), from, ...(binned ? [to] : []), value, ...(ranged ? [low, high] : [])];
  };
  const head = [...(several ? ["series"] : []), binned ? `${x.label}, from` : x.label, ...(binned ? ["to"] : []), y.label, ...(ranged ? ["low", "high"] : [])];
  return { head, rows: shown.flatMap((mark) => mark.points.map((point) => row(mark, point))) };
}

function picture(title, x, y, marks, width, height) {
  const across = axis(x, spread(marks, "x"), EDGE.left, width - EDGE.right, width < 420 ? 4 : 7);
  const up = axis(y, spread(marks, "y"), height - EDGE.bottom, EDGE.top, 5);
  const names = { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `${title}. The numbers follow as a table.` };
  return s("svg", names,
    ...up.ticks.map((tick) => s("g", { class: "plot-tick" },
      s("line", { x1: EDGE.left, x2: width - EDGE.right, y1: up.at(tick), y2: up.at(tick) }),
      s("text", { x: EDGE.left - 8, y: up.at(tick) + 4, "text-anchor": "end" }, up.format(tick)))),
    ...across.ticks.map((tick) => s("g", { class: "plot-tick across" },
      s("line", { x1: across.at(tick), x2: across.at(tick), y1: height - EDGE.bottom, y2: height - EDGE.bottom + 4 }),
      s("text", { x: across.at(tick), y: height - EDGE.bottom + 18, "text-anchor": across.at(tick) > width - 40 && across.format(tick).length > 6 ? "end" : "middle" }, across.format(tick)))),
    s("text", { class: "plot-label", x: 0, y: 12 }, y.label),
    s("text", { class: "plot-label", x: width - EDGE.right, y: height - 6, "text-anchor": "end" }, x.label),
    ...marks.map((mark) => s("g", { class: `plot-mark ${toned(mark)}` },
      ...DRAWN[mark.draw](mark, across, up))));
}

const path = (d) => [s("path", { d })];
const seen = (across, up) => ([x, y]) => Number.isFinite(across.at(x)) && Number.isFinite(up.at(y));
const shown = (across, up, x, y) => s("title", {}, `${across.format(x)}, ${up.format(y)}`);

const DRAWN = {
  line: (mark, across, up) => path(mark.points.filter(seen(across, up)).map(([x, y], i) => `${i ? "L" : "M"}${across.at(x)},${up.at(y)}`).join("")),
  steps: (mark, across, up) => path(mark.points.filter(seen(across, up)).map(([x, y], i) => (i ? `H${across.at(x)}V${up.at(y)}` : `M${across.at(x)},${up.at(y)}`)).join("")),
  points: (mark, across, up) => mark.points.filter(seen(across, up)).map(([x, y, low, high]) => s("g", {}, shown(across, up, x, y),
    low === undefined || low === null ? null : s("line", { x1: across.at(x), x2: across.at(x), y1: up.at(low), y2: up.at(high) }),
    s("circle", { cx: across.at(x), cy: up.at(y), r: mark.points.length > 60 ? 2 : 3.5 }))),
  bars: (mark, across, up) => mark.points.filter(([, , y]) => Number.isFinite(up.at(y))).map(([from, to, y]) => {
    const left = Math.min(across.at(from), across.at(to)), wide = Math.abs(across.at(to) - across.at(from));
    const gap = Math.min(1.5, wide * 0.15);
    return s("rect", { x: left + gap / 2, y: up.at(y), width: Math.max(wide - gap, 0.5), height: Math.max(up.floor - up.at(y), 0) },
      s("title", {}, `${across.format(from)} to ${across.format(to)}: ${up.format(y)}`));
  }),
  band: (mark, across, up) => path(`${mark.points.map(([x, low], i) => `${i ? "L" : "M"}${across.at(x)},${up.at(low)}`).join("")}${
    [...mark.points].reverse().map(([x, , high]) => `L${across.at(x)},${up.at(high)}`).join("")}Z`),
  rule: (mark, across, up) => (mark.axis === "x"
    ? path(`M${across.at(mark.at)},${up.floor}V${up.ceiling}`) : path(`M${across.floor},${up.at(mark.at)}H${across.ceiling}`)),
};

/** All values that the marks put on an axis. */
function spread(marks, name) {
  return marks.flatMap((mark) => {
    if (mark.draw === "rule") return mark.axis === name ? [mark.at] : [];
    return mark.points.flatMap((point) => (name === "x" ? point.slice(0, mark.draw === "bars" ? 2 : 1)
      : mark.draw === "bars" ? [point[2]] : point.slice(1))).filter((value) => Number.isFinite(value));
  });
}

/** From values to pixels between `start` and `end`, with ticks at round values. */
export function axis({ min, max, log = false, ticks, format }, values, start, end, count) {
  const usable = log ? values.filter((value) => value > 0) : values;
  let low = min ?? Math.min(...usable), high = max ?? Math.max(...usable);
  if (!Number.isFinite(low) || !Number.isFinite(high)) [low, high] = log ? [1, 10] : [0, 1];
  if (low === high) [low, high] = log ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  const marked = ticks ?? (log ? powers(low, high) : rounds(low, high, count));
  if (!log && min === undefined) low = Math.min(low, marked[0]);
  if (!log && max === undefined) high = Math.max(high, marked.at(-1));
  const on = (value) => (log ? Math.log(value) : value);
  const at = (value) => Math.round((start + ((on(value) - on(low)) / (on(high) - on(low))) * (end - start)) * 100) / 100;
  const inside = marked.filter((tick) => tick >= low * (low > 0 ? 1 - 1e-9 : 1 + 1e-9) && tick <= high * (1 + 1e-9));
  return { at, ticks: inside, format: format ?? ((value) => short.format(value)), floor: start, ceiling: end };
}

function rounds(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((one) => one * power >= rough) ?? 10);
  const first = Math.floor(low / step + 1e-9), last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function powers(low, high) {
  const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
  const tens = Array.from({ length: Math.max(last - first + 1, 0) }, (_, i) => 10 ** (first + i));
  if (tens.length >= 2) return tens;
  return [1, 2, 5, 10].flatMap((one) => [one * 10 ** (first - 1), one * 10 ** first]).filter((tick, i, all) => tick >= low && tick <= high && all.indexOf(tick) === i).sort((a, b) => a - b);
}
