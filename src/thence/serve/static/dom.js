/** Elements and words. Text from the catalogue only ever becomes a text node, never markup. */

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: attributes by name (`null` leaves one out), then children as nodes or text. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A link to an item's page; `item` needs an `item_id`. */
export function itemLink(item, attributes = {}, ...children) {
  return h("a", { href: itemUrl(item.item_id), "data-item": item.item_id, ...attributes }, ...children);
}

export const itemUrl = (id) => `/?item=${encodeURIComponent(id)}`;

const whole = new Intl.NumberFormat("en-GB");
export const number = (value) => whole.format(value);
export const percent = (share) => `${Math.round(share * 100)} %`;

/** "1 basket", "12 baskets". */
export const counted = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

const monthFormat = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric", timeZone: "UTC" });
export const month = (iso) => monthFormat.format(new Date(iso));

const dayFormat = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });
export const day = (iso) => dayFormat.format(new Date(iso));

const whenFormat = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
export const when = (iso) => `${whenFormat.format(new Date(iso))} UTC`;

const moneyFormat = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
export const money = (value) => moneyFormat.format(value);

/** At most `length` characters, cut at a word where one ends nearby. */
export function shorten(text, length) {
  if (text.length <= length) return text;
  const cut = text.slice(0, length - 1);
  const space = cut.lastIndexOf(" ");
  return `${(space > length * 0.6 ? cut.slice(0, space) : cut).replace(/[\s,;:–-]+$/, "")}…`;
}

const PHRASES = {
  same_basket: (n) => counted(n, "basket"),
  bought_after: (n) => `${counted(n, "customer")} in this order`,
  co_viewed: (n) => counted(n, "session"),
  substitute: (n) => `substitute for ${counted(n, "customer")}`,
};

/** One arc's evidence in few words, `short` without its lift; the full sentence stands in the answer's `why`. */
export function evidence(arc, short = false) {
  const phrase = PHRASES[arc.relation];
  const words = [];
  if (arc.support === null) words.push(`${arc.relation.replaceAll("_", " ")} ${arc.weight.toPrecision(3)}`);
  else words.push(phrase ? phrase(arc.support) : `${arc.relation.replaceAll("_", " ")} ${number(arc.support)}`);
  if (arc.lift !== null && !short) words.push(`${arc.lift < 10 ? arc.lift.toFixed(1) : Math.round(arc.lift)}× chance`);
  if (arc.last_time !== null) words.push(month(arc.last_time));
  return words.join(" · ");
}

/** What may be wider than its place: it scrolls there, and by keyboard too, which needs a name and a stop where it does. */
export function scroller(name, content) {
  const place = h("div", { class: "scroll" }, content);
  new ResizeObserver(() => {
    const wide = place.scrollWidth > place.clientWidth || place.scrollHeight > place.clientHeight;
    for (const [key, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", name]]) {
      if (wide) place.setAttribute(key, value);
      else place.removeAttribute(key);
    }
  }).observe(place);
  return place;
}

/** A page that has nothing to show: why in one sentence, and the command that would change it. */
export function absent(title, words, command) {
  return h("article", { class: "page" }, h("h1", { tabindex: "-1" }, title), h("p", { class: "lead" }, words),
    command ? h("pre", {}, h("code", {}, command)) : null);
}
