/** The page "Models". */

import { h } from "./dom.js";

export async function modelsPage(signal) {
  signal.throwIfAborted();
  return h("article", { class: "page models" }, h("h1", { tabindex: "-1" }, "Models"));
}
