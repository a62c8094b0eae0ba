/** The page "Decision". */

import { h } from "./dom.js";

export async function decisionPage(signal) {
  signal.throwIfAborted();
  return h("article", { class: "page decision" }, h("h1", { tabindex: "-1" }, "Decision"));
}
