/** Rates over score and uncertainty as a grid of cells, with the boundaries of a step drawn over them.
 *
 * heatMap(picture, unsure, chosen) gives { node, draw, cell }: `draw(tallies)` lays boundaries over the cells,
 * `chosen(level, bin)` is called when a cell is clicked or entered by keyboard. Arrow keys move between cells.
 */

import { h, number, s } from "./dom.js";
import { share } from "./figures.js";
import { numbers } from "./plot.js";

const tidy = (value, span = 0) => (Math.abs(value) < span / 1000 ? "0" : String(Number(value.toPrecision(2))).replace("-", "−"));

/** What a level of uncertainty is called. */
export function levelName(picture, unsure, level) {
  const [low, high] = picture.uncertainty_edges.slice(level, level + 2);
  if (low === high && picture.cells.length === 1) return "all cases";
  if (unsure === "evidence") {
    const [least, most] = [Math.exp(-high), Math.exp(-low)].map((count) => number(Number(count.toPrecision(2))));
    return least === most ? `seen ${most}×` : `seen ${least}–${most}×`;
  }
  return low === high ? tidy(low) : `${tidy(low)} to ${tidy(high)}`;
}

export function heatMap(picture, unsure, chosen) {
  const levels = picture.cells.length, bins = picture.cells[0].length;
  const top = Math.max(...picture.cells.flat().map((cell) => cell.rate ?? 0), 1e-9);
  const boundaries = s("svg", { class: "boundaries", viewBox: `0 0 ${bins} ${levels}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const cells = picture.cells.map((row, level) => row.map((cell, bin) => button(picture, unsure, cell, level, bin, top)));
  const rows = picture.cells.map((_, level) => h("div", { class: "heat-row", role: "row" },
    h("div", { class: "heat-level", role: "rowheader" }, levelName(picture, unsure, level)),
    ...cells[level].map((cell) => h("div", { class: "heat-cell", role: "gridcell" }, cell))));
  const grid = h("div", { class: "heat-grid", role: "grid", "aria-label": "Share that came true, by uncertainty and score" }, ...rows, boundaries);
  grid.style.setProperty("--bins", bins);
  grid.style.setProperty("--levels", levels);
  move(grid, cells, chosen);
  const node = h("figure", { class: "heat" },
    h("p", { class: "plot-label-top" }, levels > 1 ? `${LEVELS[unsure]}, the surest first` : "There is no uncertainty, or it is the same everywhere"),
    grid, ends(picture, bins), scale(top), h("figcaption", { class: "heat-keys" },
      h("span", { class: "heat-key act" }, "acts right of it"), h("span", { class: "heat-key asks" }, "asks right of it"),
      h("span", { class: "heat-key single" }, "one threshold")),
    table(picture, unsure));
  const keys = node.querySelector(".heat-keys");
  const draw = (boundary, single) => {
    boundaries.replaceChildren(...lines(boundary, single, levels, bins));
    keys.children[0].hidden = !boundary;
    keys.children[1].hidden = !boundary?.asks;
    keys.children[2].hidden = !single;
  };
  const mark = (level, bin) => cells.flat().forEach((cell) => cell.setAttribute("aria-pressed", String(cell === cells[level][bin])));
  return { node, draw, mark };
}

const LEVELS = { given: "Uncertainty", evidence: "How often training saw its like", laplace: "Variance of the logit" };

function button(picture, unsure, cell, level, bin, top) {
  const percent = cell.rate === null ? "" : String(Math.round(100 * cell.rate));
  const [from, to] = picture.score_edges.slice(bin, bin + 2).map(tidy);
  const words = cell.count ? `${number(cell.count)} cases, a rate of ${share(cell.rate)}` : "no case";
  const node = h("button", { type: "button", class: cell.count ? "" : "empty", "aria-pressed": "false", tabindex: level || bin ? "-1" : "0",
    "aria-label": `${levelName(picture, unsure, level)}, score ${from} to ${to}: ${words}` }, percent);
  const part = (cell.rate ?? 0) / top;
  node.style.setProperty("--part", part.toFixed(3));
  if (part > 0.6) node.classList.add(part > 0.8 ? "full" : "half"); // where black and white are read alike, dark and light
  return node;
}

/** One stop for the tab key; arrows go on from there. */
function move(grid, cells, chosen) {
  const place = (cell) => {
    const level = cells.findIndex((row) => row.includes(cell));
    return [level, cells[level].indexOf(cell)];
  };
  const go = (cell) => {
    cells.flat().forEach((one) => one.setAttribute("tabindex", one === cell ? "0" : "-1"));
    cell.focus();
  };
  grid.addEventListener("click", (event) => {
    const cell = event.target.closest("button");
    if (!cell) return;
    go(cell);
    chosen(...place(cell));
  });
  grid.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const cell = event.target.closest("button");
    if (!step || !cell) return;
    const [level, bin] = place(cell);
    const next = cells[level + step[0]]?.[bin + step[1]];
    event.preventDefault();
    if (next) go(next);
  });
}

/** Scores at the sides of the cells. */
function ends(picture, bins) {
  const node = h("div", { class: "heat-ends" }, ...picture.score_edges.map((edge, i) => {
    const end = h("span", { class: i % 3 ? "between" : "" }, tidy(edge, picture.score_edges.at(-1) - picture.score_edges[0]));
    end.style.setProperty("--at", `${(100 * i) / bins}%`);
    return end;
  }));
  return h("div", {}, node, h("p", { class: "plot-label-side" }, "score"));
}

function scale(top) {
  return h("p", { class: "heat-scale" }, h("span", {}, "0\u00a0%"), h("span", { class: "ramp", "aria-hidden": "true" }), h("span", {}, share(top)),
    h("span", { class: "heat-what" }, "of the cases in a cell came true, by the policy’s rates"));
}

function lines(boundary, single, levels, bins) {
  const drawn = [];
  const add = (across, name) => {
    const d = path(across, levels, bins);
    drawn.push(s("path", { class: "halo", d }), s("path", { class: name, d }));
  };
  if (single) add(single.across, "single");
  if (boundary?.asks) add(boundary.asks, "asks");
  if (boundary) add(boundary.across, "act");
  return drawn;
}

/** Straight between near places, a step where it leaps; nobody is acted on where it stands at the right side. */
function path(across, levels, bins) {
  const tall = levels / across.length;
  const at = across.map((place) => place ?? bins);
  return at.map((x, i) => {
    const [above, below] = [i * tall, (i + 1) * tall];
    const next = at[i + 1];
    const leap = next === undefined || Math.abs(next - x) > 0.75;
    const start = i === 0 ? `M${x},${above}` : Math.abs(at[i - 1] - x) > 0.75 ? `L${x},${above}` : "";
    return `${start}L${x},${(above + below) / 2}${leap ? `L${x},${below}` : ""}`;
  }).join("");
}

function table(picture, unsure) {
  const rows = picture.cells.flatMap((row, level) => row.map((cell, bin) => [
    levelName(picture, unsure, level), picture.score_edges[bin], picture.score_edges[bin + 1], cell.count, cell.positive, cell.rate]));
  return numbers({ head: ["uncertainty", "score, from", "to", "cases", "came true", "the policy’s rate"], rows }, "Rates over score and uncertainty");
}
