/** The page "Evaluation". */

import { h } from "./dom.js";

export async function evaluationPage(signal) {
  signal.throwIfAborted();
  return h("article", { class: "page evaluation" }, h("h1", { tabindex: "-1" }, "Evaluation"));
}
