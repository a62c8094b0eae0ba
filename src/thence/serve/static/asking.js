/** What the pages of models share: questions with a body, spans of time in words, axes of ages, small forms. */

import { Refused } from "./api.js";
import { h } from "./dom.js";

const MINUTE = 60, HOUR = 3600, DAY = 86400;

/** Ask a question that has a body. */
export async function post(path, body, signal = undefined) {
  const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal });
  const told = await answer.json().catch(() => ({ error: "the answer could not be read" }));
  if (!answer.ok) throw new Refused(answer.status, told);
  return told;
}

/** "5 minutes", "1 day"; `brief` gives "5 min", "1 d". */
export function span(seconds, brief = false) {
  const [size, short, long] = seconds >= 2 * DAY || (seconds >= DAY && seconds % DAY === 0) ? [DAY, "d", "day"]
    : seconds >= HOUR ? [HOUR, "h", "hour"] : [MINUTE, "min", "minute"];
  const count = Number((seconds / size).toPrecision(seconds / size >= 100 ? 3 : 2));
  if (!seconds) return brief ? "0" : "no time";
  return brief ? `${count}\u00a0${short}` : `${count} ${long}${count === 1 ? "" : "s"}`;
}

const MARKS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, 180 * DAY];
const STEPS = [MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 5 * DAY, 7 * DAY, 10 * DAY, 14 * DAY, 30 * DAY, 60 * DAY, 90 * DAY];

/** An axis of ages from 0 to a window; logarithmic where most of what there is to see comes early. */
export function ageAxis(window, median, label) {
  const format = (seconds) => span(seconds, true);
  if (median < window / 25) {
    const min = Math.max(Math.min(median / 20, window / 1000), 1);
    const ticks = MARKS.filter((mark) => mark >= min && mark <= window);
    return { label, log: true, min, max: window, ticks: ticks.length > 6 ? ticks.filter((_, i) => i % 2 === ticks.length % 2) : ticks, format };
  }
  const step = STEPS.find((one) => window / one <= 6) ?? Math.ceil(window / 6 / DAY) * DAY;
  const ticks = Array.from({ length: Math.floor(window / step + 1e-9) + 1 }, (_, i) => i * step);
  return { label, min: 0, max: window, ticks, format };
}

/** A labelled control. */
export function field(name, control, hint = null) {
  return h("label", { class: "field" }, h("span", { class: "field-name" }, name), control, hint ? h("span", { class: "field-hint" }, hint) : null);
}

/** A refusal in words. */
export const refusal = (error) => `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}. ${error.fix ?? ""}`.trim();

/** A form that asks on submit and writes the answer, or the refusal, below itself; the last question wins. */
export function asking(fields, words, ask) {
  const answer = h("div", { class: "answer", role: "status" });
  const button = h("button", { type: "submit" }, words);
  const form = h("form", { class: "asking", autocomplete: "off" }, h("div", { class: "fields" }, ...fields), button);
  let turn = 0;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const mine = ++turn;
    try {
      const told = await ask(new FormData(form));
      if (mine === turn) answer.replaceChildren(...told);
    } catch (error) {
      if (mine === turn) answer.replaceChildren(h("p", { class: "refused" }, refusal(error)));
    }
  });
  return h("div", {}, form, answer);
}
