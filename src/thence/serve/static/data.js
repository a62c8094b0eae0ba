/** The page "Data". */

import { h } from "./dom.js";

export async function dataPage(signal) {
  signal.throwIfAborted();
  return h("article", { class: "page data" }, h("h1", { tabindex: "-1" }, "Data"));
}
