/** Search with completion, after the ARIA combobox pattern: arrows move, Enter opens, Escape closes, "/" comes here. */

import { ask } from "./api.js";
import { h, number } from "./dom.js";

const PAUSE = 70;

/** @param {HTMLFormElement} form @param {(id: string) => void} open @param {(words: string) => void} say */
export function search(form, open, say) {
  const input = form.querySelector("input");
  const list = form.querySelector("ul");
  let found = [];
  let active = -1;
  let timer = 0;
  let asking = new AbortController();
  let shown = "";

  const close = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };

  const mark = (index) => {
    active = index;
    [...list.children].forEach((option, i) => option.setAttribute("aria-selected", String(i === index)));
    const option = list.children[index];
    if (!option?.id) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  };

  const choose = (index) => {
    const item = found[index];
    if (!item) return;
    close();
    input.value = "";
    input.blur();
    open(item.item_id);
  };

  const show = (query) => {
    const words = query.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
    list.replaceChildren(...found.map((item, i) => option(item, i, words)));
    if (!found.length) list.append(h("li", { class: "none", role: "option", "aria-disabled": "true" }, `Nothing found for “${query}”`));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(found.length ? 0 : -1);
    say(found.length ? `${found.length} products found` : "Nothing found");
  };

  const look = async () => {
    const query = input.value.trim();
    asking.abort();
    asking = new AbortController();
    if (!query) return close();
    try {
      const answer = await ask("/v1/items/search", { q: query, limit: 8 }, asking.signal);
      found = answer.results;
      shown = query;
      show(query);
    } catch (error) {
      if (error.name !== "AbortError") say(error.message);
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  });
  input.addEventListener("focus", () => { if (input.value.trim()) look(); });
  input.addEventListener("blur", () => setTimeout(close, 120));
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !list.hidden && found.length) {
      event.preventDefault();
      mark((active + step + found.length) % found.length);
    } else if (step === 1 && input.value.trim()) {
      event.preventDefault();
      look();
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (list.hidden) input.blur();
      close();
    }
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearTimeout(timer);
    if (list.hidden || shown !== input.value.trim()) await look(); // Enter came before the answer
    choose(Math.max(active, 0));
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => choose([...list.children].indexOf(event.target.closest("li"))));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "")) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
}

function option(item, index, words) {
  const detail = [item.category?.split(" > ").slice(0, 2).join(" › "), item.brand].filter(Boolean).join(" · ");
  return h("li", { id: `found-${index}`, role: "option", "aria-selected": "false" },
    h("span", { class: "found-title" }, ...marked(item.title, words)),
    h("span", { class: "found-detail" }, detail || item.item_id),
    item.count !== null && h("span", { class: "found-count", title: "times bought" }, number(item.count)));
}

/** The title with the beginnings that were typed in bold. */
function marked(title, words) {
  const lower = title.toLowerCase();
  const at = words
    .map((word) => [lower.indexOf(word), word.length])
    .filter(([start]) => start >= 0)
    .sort((a, b) => a[0] - b[0]);
  const parts = [];
  let end = 0;
  for (const [start, length] of at) {
    if (start < end) continue;
    parts.push(title.slice(end, start), h("b", {}, title.slice(start, start + length)));
    end = start + length;
  }
  return [...parts, title.slice(end)];
}
