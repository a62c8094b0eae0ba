/** The service's answers, and its refusals as errors that carry the words. */

export class Refused extends Error {
  /** @param {number} status @param {{error: string, fix?: string, nearest?: {item_id: string, title: string}[]}} problem */
  constructor(status, problem) {
    super(problem.error);
    this.status = status;
    this.fix = problem.fix ?? "";
    this.nearest = problem.nearest ?? [];
  }
}

/** Ask one question.
 * @param {string} path
 * @param {Record<string, string | number>} [query]
 * @param {AbortSignal} [signal]
 */
export async function ask(path, query = {}, signal = undefined) {
  const answer = await fetch(`${path}?${new URLSearchParams(query)}`, { signal });
  const body = await answer.json().catch(() => ({ error: "the answer could not be read" }));
  if (!answer.ok) throw new Refused(answer.status, body);
  return body;
}

/** Ask for a change, with the token; the browser adds nothing of its own and keeps nothing. */
export async function send(path, token, signal = undefined) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const answer = await fetch(path, { method: "POST", headers, signal, credentials: "omit" });
  const body = await answer.json().catch(() => ({ error: "the answer could not be read" }));
  if (!answer.ok) throw new Refused(answer.status, body);
  return body;
}

/** Everything that an item's page shows, asked for at once; `compared` says whether there is a baseline. */
export async function askItem(id, compared, signal) {
  const at = encodeURIComponent(id);
  const list = (kind, direction) => ask(`/v1/${kind}/${at}`, { direction, k: 10 }, signal);
  const [drawn, before, next, baselineBefore, baselineNext] = await Promise.all([
    ask(`/v1/neighborhood/${at}`, { k: 8 }, signal),
    list("related", "before"),
    list("related", "next"),
    compared ? list("compare", "before") : null,
    compared ? list("compare", "next") : null,
  ]);
  return { item: drawn.item, drawn, before, next, baselineBefore, baselineNext };
}

/** A product that the catalogue does not have: what was said of it, and both lists once there is a title. */
export async function askPlace(asked, signal) {
  const said = { title: asked.get("new") ?? "", category: asked.get("category") ?? "" };
  if (!said.title) return { said, before: null, next: null, refused: null };
  try {
    const [before, next] = await Promise.all(["before", "next"].map((direction) =>
      ask("/v1/place", { ...said, direction, k: 10 }, signal)));
    return { said, before, next, refused: null };
  } catch (error) {
    if (error.status !== 422) throw error;
    return { said, before: null, next: null, refused: error }; // nothing of it is known: the form stays
  }
}
