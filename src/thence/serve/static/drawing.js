/** The directed neighbourhood in SVG: what leads here on the left, the item in the middle, what follows on the right.
 * On a narrow screen the same from top to bottom. Arcs are as thick as their support; dashed ones are the model's alone. */

import { h, itemUrl, number, percent, s, shorten } from "./dom.js";

const NARROW = 640;
const ROW = 36;
const AMONG_SHOWN = 12;
let current = null;

/** A figure for an answer of /v1/neighborhood; {@link redraw} fits it to its width once it stands in the page. */
export function drawing(drawn) {
  const figure = h("figure", { class: "drawing" },
    h("div", { class: "canvas" }),
    h("div", { class: "tip", role: "presentation", hidden: true }),
    h("figcaption", {},
      h("span", { class: "key before" }, "leads here"), h("span", { class: "key next" }, "follows"),
      h("span", { class: "key among" }, "arcs among them"),
      h("span", { class: "key model" }, "the model alone"), h("span", { class: "key ring" }, "on both sides"),
      h("span", {}, "thicker: more customers")));
  current = { figure, drawn, width: 0 };
  return figure;
}

/** Lay the current figure out again when its width has changed. */
export function redraw() {
  if (!current?.figure.isConnected) return;
  const canvas = current.figure.querySelector(".canvas");
  if (canvas.clientWidth === current.width) return;
  current.width = canvas.clientWidth;
  const plan = current.width < NARROW ? tall(current.drawn, current.width) : wide(current.drawn, current.width);
  canvas.replaceChildren(picture(plan, current.drawn));
  listen(current.figure, current.drawn);
}

window.addEventListener("resize", () => requestAnimationFrame(redraw));

/** The two sides, best first. An item of both lists stands on both, so that the sides read as the lists do. */
function sides(drawn) {
  const side = (key) => drawn.nodes.filter((node) => node[key] !== null).sort((a, b) => b[key] - a[key]);
  return { before: side("score_before"), next: side("score_next") };
}

/** The two places that an arc joins: the item's own arcs by their direction, others on one side where both stand. */
function ends(arc, place, query) {
  const at = (side, id) => place.get(`${side} ${id}`);
  if (arc.source === query) return [place.get(query), at("next", arc.target)];
  if (arc.target === query) return [at("before", arc.source), place.get(query)];
  const pairs = [["next", "next"], ["before", "before"], ["before", "next"], ["next", "before"]];
  return pairs.map(([a, b]) => [at(a, arc.source), at(b, arc.target)]).find(([a, b]) => a && b);
}

function wide(drawn, width) {
  const { before, next } = sides(drawn);
  const rows = Math.max(before.length, next.length, 3);
  const height = Math.max(rows * ROW + 48, 240);
  const middle = width / 2, left = Math.min(width * 0.29, middle - 190), right = width - left;
  const y = (i, count) => (height + 24) / 2 + (i - (count - 1) / 2) * ROW;
  const place = new Map();
  before.forEach((node, i) => place.set(`before ${node.item_id}`, { node, side: "before", x: left, y: y(i, before.length), anchor: "end" }));
  next.forEach((node, i) => place.set(`next ${node.item_id}`, { node, side: "next", x: right, y: y(i, next.length), anchor: "start" }));
  const count = Math.max(before.length, next.length, 2);
  const reach = count * 9;
  const query = { node: drawn.nodes[0], side: "query", x: middle, y: (height + 24) / 2, reach, extent: ((count - 1) / 2) * ROW };
  place.set(drawn.item.item_id, query);
  const path = (arc) => {
    const [a, b] = ends(arc, place, drawn.item.item_id);
    if (a === query || b === query) return toQuery(a, b, query);
    const way = a.x < middle ? 1 : -1;
    if ((a.x < middle) !== (b.x < middle)) {
      const bend = Math.abs(b.x - a.x) * 0.4 * way;
      return `M${a.x + 7 * way},${a.y} C${a.x + bend},${a.y} ${b.x - bend},${b.y} ${b.x - 11 * way},${b.y}`;
    }
    const bulge = (26 + Math.abs(b.y - a.y) * 0.32) * way;
    return `M${a.x + 7 * way},${a.y} C${a.x + bulge},${a.y} ${b.x + bulge},${b.y} ${b.x + 11 * way},${b.y}`;
  };
  return { width, height, place, path, tall: false, labelSpace: left - 22 };
}

/** Arcs meet the item spread along its spine. */
function toQuery(a, b, query) {
  const other = a === query ? b : a;
  const toward = other.x < query.x ? -1 : 1;
  const y = query.y + ((other.y - query.y) / query.extent) * query.reach;
  const gap = (end) => (end === b ? 12 : 7);
  const x = query.x + toward * gap(query), otherX = other.x - toward * gap(other);
  const bend = Math.abs(otherX - x) * 0.5 * toward;
  return a === query
    ? `M${x},${y} C${x + bend},${y} ${otherX - bend},${other.y} ${otherX},${other.y}`
    : `M${otherX},${other.y} C${otherX - bend},${other.y} ${x + bend},${y} ${x},${y}`;
}

function tall(drawn, width) {
  const { before, next } = sides(drawn);
  const query = drawn.item.item_id;
  const spots = [
    ...before.reverse().map((node) => [`before ${node.item_id}`, node, "before"]),
    [query, drawn.nodes[0], "query"],
    ...next.map((node) => [`next ${node.item_id}`, node, "next"]),
  ];
  const x = Math.min(112, width * 0.3);
  const place = new Map(spots.map(([key, node, side], i) => [key, { node, side, x, y: 24 + i * ROW, anchor: "start" }]));
  const path = (arc) => {
    const [a, b] = ends(arc, place, query);
    const span = Math.abs(b.y - a.y);
    const bulge = Math.min(x - 8, 12 + span * 0.36) * 1.25;
    return `M${a.x - 7},${a.y} C${a.x - bulge},${a.y} ${b.x - bulge},${b.y} ${b.x - 11},${b.y}`;
  };
  return { width, height: spots.length * ROW + 22, place, path, tall: true, labelSpace: width - x - 26 };
}

function picture(plan, drawn) {
  const { width, height } = plan;
  const query = drawn.item.item_id;
  const among = new Set(drawn.arcs.filter((arc) => arc.source !== query && arc.target !== query).slice(0, AMONG_SHOWN));
  const kind = (arc) => (arc.source === query ? "next" : arc.target === query ? "before" : "among");
  const size = (arc) => arc.support ?? arc.weight ?? 0;
  const most = (own) => Math.max(1, ...drawn.arcs.filter((arc) => (kind(arc) !== "among") === own).map(size));
  const largest = { own: most(true), among: most(false) };
  const line = (arc) => {
    const amount = size(arc) / (kind(arc) === "among" ? largest.among : largest.own);
    const path = s("path", {
      d: plan.path(arc), class: `arc ${kind(arc)} ${arc.kind}`, "marker-end": `url(#tip-${kind(arc)})`,
      "data-source": arc.source, "data-target": arc.target,
    });
    if (kind(arc) === "among" && !among.has(arc)) path.classList.add("quiet");
    path.style.setProperty("--thick", (kind(arc) === "among" ? 1 + amount : 1.2 + 2.6 * Math.sqrt(amount)).toFixed(2));
    return path;
  };
  const rankOf = { among: 0, before: 1, next: 1 };
  const arcs = [...drawn.arcs].sort((a, b) => rankOf[kind(a)] - rankOf[kind(b)]);
  const label = `Directed neighbourhood of ${drawn.item.title}: what leads here, what follows, and the arcs among them`;
  return s("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": label },
    s("defs", {}, ...["before", "next", "among"].map(marker)),
    s("g", { "aria-hidden": "true" }, ...arcs.map(line)),
    ...[...plan.place.values()].map((spot) => dot(spot, plan)));
}

function marker(name) {
  return s("marker", {
    id: `tip-${name}`, class: `tip-${name}`, viewBox: "0 0 10 10", refX: 6.5, refY: 5,
    markerWidth: 10, markerHeight: 10, markerUnits: "userSpaceOnUse", orient: "auto",
  }, s("path", { d: "M0.5,0.8 9.5,5 0.5,9.2 2.6,5z" }));
}

function dot(spot, plan) {
  const { node } = spot;
  if (spot.side === "query") return plan.tall ? centre(spot, plan) : spine(spot, plan);
  const shift = spot.anchor === "end" ? -14 : 14;
  const text = shorten(node.title, Math.max(10, Math.floor(plan.labelSpace / 7.1)));
  const width = plan.labelSpace + 20;
  return s("a", { href: itemUrl(node.item_id), "data-item": node.item_id, class: `node ${spot.side} ${node.role}`,
    "aria-label": `${node.title}, ${spot.side === "next" ? "follows" : "leads here"}` },
    s("rect", { class: "reach", x: spot.anchor === "end" ? spot.x - width + 12 : spot.x - 12, y: spot.y - ROW / 2 + 1, width, height: ROW - 2, rx: 8 }),
    s("circle", { cx: spot.x, cy: spot.y, r: 5.5 }),
    s("text", { x: spot.x + shift, y: spot.y, "text-anchor": spot.anchor, dy: "0.35em" }, text));
}

function spine(spot, plan) {
  const half = spot.reach + 10;
  const room = Math.floor((plan.width - 2 * (plan.labelSpace + 22)) / 8.6);
  return s("g", { class: "node query" },
    s("rect", { x: spot.x - 5, y: spot.y - half, width: 10, height: 2 * half, rx: 5 }),
    s("text", { x: spot.x, y: spot.y - half - 12, "text-anchor": "middle" }, shorten(spot.node.title, room)));
}

function centre(spot, plan) {
  return s("g", { class: "node query" },
    s("circle", { cx: spot.x, cy: spot.y, r: 8 }),
    s("text", { x: spot.x + 16, y: spot.y, dy: "0.35em" }, shorten(spot.node.title, Math.floor(plan.labelSpace / 8))));
}

/** Hover or focus: bring a node's arcs forward and tell its numbers. */
function listen(figure, drawn) {
  const svg = figure.querySelector("svg"), tip = figure.querySelector(".tip");
  const nodes = new Map(drawn.nodes.map((node) => [node.item_id, node]));
  const leave = () => {
    svg.classList.remove("looking");
    svg.querySelectorAll(".near").forEach((element) => element.classList.remove("near"));
    tip.hidden = true;
  };
  const enter = (link) => {
    leave();
    const id = link.dataset.item;
    const joined = new Set([id, drawn.item.item_id]);
    for (const path of svg.querySelectorAll("path.arc")) {
      if (path.dataset.source !== id && path.dataset.target !== id) continue;
      path.classList.add("near");
      joined.add(path.dataset.source).add(path.dataset.target);
    }
    svg.querySelectorAll("a.node").forEach((node) => node.classList.toggle("near", joined.has(node.dataset.item)));
    svg.classList.add("looking");
    tell(figure, tip, link, nodes.get(id), drawn);
  };
  for (const link of svg.querySelectorAll("a.node")) {
    link.addEventListener("pointerenter", () => enter(link));
    link.addEventListener("pointerleave", leave);
    link.addEventListener("focus", () => enter(link));
    link.addEventListener("blur", leave);
  }
}

function tell(figure, tip, link, node, drawn) {
  const query = drawn.item.item_id;
  const said = drawn.arcs
    .filter((arc) => [arc.source, arc.target].includes(query) && [arc.source, arc.target].includes(node.item_id))
    .map((arc) => h("p", { class: arc.source === query ? "next" : "before" },
      h("b", {}, arc.source === query ? "follows" : "leads here"), ` ${arc.why}`,
      arc.direction_strength === null ? "" : ` · ${percent(arc.direction_strength)} this way`));
  tip.replaceChildren(h("p", { class: "tip-title" }, node.title),
    h("p", { class: "tip-detail" }, [node.category?.split(" > ").slice(0, 2).join(" › "), node.brand,
      node.count === null ? null : `bought ${number(node.count)} times`].filter(Boolean).join(" · ")), ...said);
  tip.hidden = false;
  const box = figure.getBoundingClientRect(), at = link.querySelector("circle").getBoundingClientRect();
  const x = Math.min(Math.max(at.left - box.left - tip.offsetWidth / 2, 0), box.width - tip.offsetWidth);
  const below = at.bottom - box.top + 14;
  const y = at.bottom + tip.offsetHeight + 20 > innerHeight ? at.top - box.top - tip.offsetHeight - 12 : below;
  tip.style.setProperty("--x", `${Math.round(x)}px`);
  tip.style.setProperty("--y", `${Math.round(y)}px`);
}
