/** The page "Conversion". */

import { h } from "./dom.js";

export async function conversionPage(signal) {
  signal.throwIfAborted();
  return h("article", { class: "page conversion" }, h("h1", { tabindex: "-1" }, "Conversion"));
}
