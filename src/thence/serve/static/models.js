/** What is live and what was before it; reload and one step back, with the token kept in memory alone. */

import { ask, send } from "./api.js";
import { h, number, scroller, when } from "./dom.js";

let token = ""; // of this visit; a reload of the page forgets it

export async function modelsPage(signal) {
  const { models } = await ask("/v1/models", {}, signal);
  const standing = h("div", { class: "standing" });
  const verdict = h("p", { class: "verdict" });
  const draw = (cards) => {
    verdict.replaceChildren(...sentence(cards[0]));
    standing.replaceChildren(...cards.map(shown));
  };
  draw(models);
  return h("article", { class: "page models" },
    h("h1", { tabindex: "-1" }, "Models"), verdict, standing, change(models, draw));
}

function sentence(live) {
  const what = live.items === null ? "It serves no products" : `It knows ${number(live.items)} products`;
  return [h("b", {}, live.model_version), ` has answered since ${when(live.since)}. ${what}.`];
}

function shown(card) {
  const live = card.state === "live";
  const id = `state-${card.state}`;
  return h("section", { class: card.state, "aria-labelledby": id },
    h("h2", { id }, live ? "Live" : "Before"),
    h("p", {}, live ? "Every answer comes from this one." : "Kept in memory: one step back leads here."),
    h("dl", { class: "facts-list" },
      fact("Version", h("code", {}, card.model_version)),
      fact(live ? "Live since" : "Was live from", when(card.since)),
      fact("Products", card.items === null ? "none" : number(card.items)),
      card.conversion_version ? fact("Conversion model", h("code", {}, card.conversion_version)) : null,
      card.policy_version ? fact("Policy", h("code", {}, card.policy_version)) : null,
      card.fingerprints.length ? fact("Fingerprint on disk", ...card.fingerprints.map((one) => h("code", {}, one))) : null),
    scroller(`The parts of ${card.model_version}`, h("table", {},
      h("caption", { class: "unseen" }, `The parts of ${card.model_version}`),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Part"), h("th", { scope: "col" }, "What it is"))),
      h("tbody", {}, ...card.parts.map((part) => h("tr", {}, h("th", { scope: "row" }, part.name),
        h("td", {}, part.what)))))));
}

const fact = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, ...value));

function change(models, draw) {
  const input = h("input", { id: "token", type: "password", autocomplete: "off", spellcheck: "false", "aria-describedby": "token-kept" });
  input.value = token;
  input.addEventListener("input", () => { token = input.value.trim(); });
  const reload = h("button", { type: "submit" }, "Load what lies in the folder");
  const back = h("button", { type: "button", disabled: models.length < 2 }, "One step back");
  const done = h("p", { class: "done", role: "status" });
  const refused = h("p", { class: "refused", role: "alert" });
  const run = async (path, tell) => {
    if (reload.disabled) return;
    reload.disabled = back.disabled = true;
    refused.replaceChildren();
    done.replaceChildren("Asked; the answer comes when it is loaded and checked.");
    let cards = models;
    try {
      const answer = await send(path, token);
      cards = answer.models;
      draw(cards);
      done.replaceChildren(tell(answer));
      document.dispatchEvent(new Event("thence:changed"));
    } catch (error) {
      done.replaceChildren();
      refused.replaceChildren(...words(error));
      if (error.status === 401) input.focus();
    }
    models = cards;
    reload.disabled = false;
    back.disabled = cards.length < 2;
  };
  const form = h("form", { class: "change" },
    h("label", { for: "token" }, "Token"), input, reload, back,
    h("p", { id: "token-kept", class: "label" }, "The one that the service was started with. It stays in this page’s memory and is stored nowhere."));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run("/v1/admin/reload", ({ changed, models: [live] }) => (changed
      ? `Loaded and checked: ${live.model_version} answers now.` : `Nothing has changed: the folder holds what is live, ${live.model_version}.`));
  });
  back.addEventListener("click", () => run("/v1/admin/rollback", ({ models: [live] }) => `One step back: ${live.model_version} answers now.`));
  return h("section", { "aria-labelledby": "change" },
    h("h2", { id: "change" }, "Change what is live"),
    h("p", {}, "What lies in the folder is checked byte by byte and asked its first questions before it answers anybody. "
      + "Where it fails, what is live stays live."),
    form, done, refused);
}

/** A refusal in words: what happened, and what to do. */
function words(error) {
  const said = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}. ${error.fix ?? ""}`;
  if (error.status === 401 || error instanceof TypeError) return ["The token is missing or wrong; nothing was changed."];
  if (error.status === 403) {
    return ["Changing models is closed: this service was started without a token. Start it with one: ",
      h("code", {}, "thence serve RUN --token-file FILE"), "."];
  }
  if (error.status === 422) return [`Refused. ${said}`];
  if (error.status === 409) return [said];
  return [`Nothing was changed. ${said}`];
}
