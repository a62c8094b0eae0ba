/** Addresses and views: "/" is the first visit, "/?item=ID" an item; back and forward work as everywhere. */

import { ask, askItem, askPlace } from "./api.js";
import { h, itemLink, itemUrl, number } from "./dom.js";
import { home } from "./home.js";
import { itemPage } from "./item.js";
import { placePage } from "./place.js";
import { redraw } from "./drawing.js";
import { search } from "./search.js";

const main = document.querySelector("main");
const said = document.querySelector("#said");
let model = null;
let asking = new AbortController();

const say = (words) => { said.textContent = words; };

function navigate(id) {
  return go(id === null ? "/" : itemUrl(id));
}

function go(url) {
  if (url !== location.pathname + location.search) history.pushState(null, "", url);
  return view({ focus: true });
}

async function view({ focus }) {
  const asked = new URLSearchParams(location.search);
  const id = asked.get("item");
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  main.setAttribute("aria-busy", "true");
  try {
    model ??= await ask("/v1/model");
    if (asked.has("new") && model.student) show(placePage(await askPlace(asked, signal)), "A new product · thence", focus);
    else if (!id) show(home(model), "thence", focus);
    else {
      const data = await askItem(id, model.baseline !== null, signal);
      show(itemPage(data), `${data.item.title} · thence`, focus);
      redraw();
    }
  } catch (error) {
    if (error.name === "AbortError") return;
    show(trouble(error), "thence", focus);
  } finally {
    if (!signal.aborted) main.removeAttribute("aria-busy");
  }
}

function show(content, title, focus) {
  main.replaceChildren(content);
  if (model) loaded(model);
  document.title = title;
  if (!focus) return;
  window.scrollTo(0, 0);
  main.querySelector("h1")?.focus({ preventScroll: true });
  say(title);
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

function loaded(answer) {
  const arcs = Object.values(answer.arcs).reduce((sum, count) => sum + count, 0);
  const words = `${number(answer.items)} products · ${number(arcs)} arcs · model ${answer.model_version}`;
  document.querySelector("#loaded").textContent = words;
  document.querySelector("footer").hidden = false; // not before there is something above it, lest it jump
  document.querySelector("#report-link").hidden = !answer.report;
}

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest("a[data-item], a.wordmark, a[data-new]");
  if (!link) return;
  event.preventDefault();
  if (link.dataset.new !== undefined) go(link.getAttribute("href"));
  else navigate(link.dataset.item ?? null);
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form.newcomer")) return;
  event.preventDefault();
  const said = new FormData(event.target);
  go(`/?${new URLSearchParams({ new: said.get("title").trim(), category: said.get("category").trim() })}`);
});
window.addEventListener("popstate", () => view({ focus: true }));
search(document.querySelector("form.search"), navigate, say);
view({ focus: false });
