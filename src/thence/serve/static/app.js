/** Addresses and views: "/" is the first visit, "/?item=ID" an item, "/evaluation" and its like a page of its own.
 * Back and forward work as everywhere. A page's module and style sheet are loaded when it is first opened. */

import { ask, askItem, askPlace } from "./api.js";
import { h, itemLink, itemUrl, number } from "./dom.js";
import { home } from "./home.js";
import { itemPage } from "./item.js";
import { placePage } from "./place.js";
import { redraw } from "./drawing.js";
import { search } from "./search.js";

const PAGES = {
  "/evaluation": { title: "Evaluation", styles: ["/static/evaluation.css"], make: async (signal) => (await import("./evaluation.js")).evaluationPage(signal) },
  "/conversion": { title: "Conversion", styles: ["/static/asking.css"], make: async (signal) => (await import("./conversion.js")).conversionPage(signal) },
  "/decision": { title: "Decision", styles: ["/static/asking.css", "/static/decision.css"], make: async (signal) => (await import("./decision.js")).decisionPage(signal) },
  "/data": { title: "Data", styles: ["/static/data.css"], make: async (signal) => (await import("./data.js")).dataPage(signal) },
  "/models": { title: "Models", styles: ["/static/models.css"], make: async (signal) => (await import("./models.js")).modelsPage(signal) },
};

const main = document.querySelector("main");
const said = document.querySelector("#said");
let model = null;
let drawn = "";
let asking = new AbortController();

const say = (words) => { said.textContent = words; };

function go(url) {
  if (url !== location.pathname + location.search) {
    history.replaceState({ y: window.scrollY }, "");
    history.pushState(null, "", url);
  }
  return view({ focus: true });
}

async function view({ focus, y = 0 }) {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const page = PAGES[location.pathname];
  drawn = location.pathname + location.search;
  main.setAttribute("aria-busy", "true");
  mark();
  try {
    const [content, title] = page ? await paged(page, signal) : await products(signal);
    if (signal.aborted) return;
    show(content, title, focus, y);
    redraw();
  } catch (error) {
    if (signal.aborted || error.name === "AbortError") return;
    show(trouble(error), "thence", focus, 0);
  } finally {
    if (!signal.aborted) main.removeAttribute("aria-busy");
  }
}

async function paged(page, signal) {
  const [content] = await Promise.all([page.make(signal), ...["/static/pages.css", ...page.styles].map(styled), known(signal)]);
  return [content, `${page.title} · thence`];
}

async function products(signal) {
  const asked = new URLSearchParams(location.search);
  const id = asked.get("item");
  await known(signal);
  if (model instanceof Error) throw model;
  if (asked.has("new") && model.student) return [placePage(await askPlace(asked, signal)), "A new product · thence"];
  if (!id) return [home(model), "thence"];
  const data = await askItem(id, model.baseline !== null, signal);
  return [itemPage(data), `${data.item.title} · thence`];
}

/** What is loaded, asked once; the refusal where models are served without items. */
async function known(signal) {
  if (model !== null && !(model instanceof Error)) return;
  try {
    model = await ask("/v1/model", {}, signal);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    model = error;
  }
  document.documentElement.classList.toggle("no-items", model.status === 404);
}

/** What is loaded may have changed: forget it, and tell it again. */
document.addEventListener("thence:changed", async () => {
  model = null;
  await known();
  loaded();
});

/** A style sheet, once; it has come when this is over. */
function styled(href) {
  if (document.querySelector(`link[href="${href}"]`)) return null;
  return new Promise((done) => {
    const link = h("link", { rel: "stylesheet", href });
    link.addEventListener("load", done);
    link.addEventListener("error", done);
    document.head.append(link);
  });
}

function show(content, title, focus, y) {
  main.replaceChildren(content);
  loaded();
  document.title = title;
  if (!focus) return;
  window.scrollTo(0, y);
  main.querySelector("h1")?.focus({ preventScroll: true });
  say(title);
}

/** The navigation names the page that is open. */
function mark() {
  for (const link of document.querySelectorAll("nav.pages a")) {
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function trouble(error) {
  const words = error.message.charAt(0).toUpperCase() + error.message.slice(1);
  return h("div", { class: "home" },
    h("h1", { tabindex: "-1" }, error.status === 404 ? "Not here" : "No answer"),
    h("p", { class: "lead" }, `${words}. ${error.fix ?? ""}`),
    error.nearest?.length ? h("p", { class: "label" }, "Perhaps") : null,
    error.nearest?.length ? h("ul", { class: "perhaps" }, ...error.nearest.map((item) =>
      h("li", {}, itemLink(item, {}, item.title), h("span", { class: "id" }, item.item_id)))) : null);
}

function loaded() {
  if (model === null || model instanceof Error) return;
  const arcs = Object.values(model.arcs).reduce((sum, count) => sum + count, 0);
  const words = `${number(model.items)} products · ${number(arcs)} arcs · model ${model.model_version}`;
  document.querySelector("#loaded").textContent = words;
  document.querySelector("footer").hidden = false; // not before there is something above it, lest it jump
}

/** Links to what this page can draw do not leave it. */
document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest("a[href]");
  if (!link) return;
  const url = new URL(link.getAttribute("href"), location.href);
  const ours = url.pathname in PAGES || (url.pathname === "/" && !(model instanceof Error));
  if (url.origin !== location.origin || url.hash || !ours) return;
  event.preventDefault();
  go(url.pathname + url.search);
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form.newcomer")) return;
  event.preventDefault();
  const told = new FormData(event.target);
  go(`/?${new URLSearchParams({ new: told.get("title").trim(), category: told.get("category").trim() })}`);
});
history.scrollRestoration = "manual";
window.addEventListener("popstate", (event) => {
  if (location.pathname + location.search !== drawn) view({ focus: true, y: event.state?.y ?? 0 }); // else a place in this page
});
search(document.querySelector("form.search"), (id) => go(itemUrl(id)), say);
view({ focus: false });
