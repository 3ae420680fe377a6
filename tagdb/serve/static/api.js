// Calls of the API. What it refuses is thrown with its own sentence, which is shown as it is.

export class Refused extends Error {
  constructor(sentence, status, rejected) {
    super(sentence);
    this.status = status;
    this.rejected = rejected;
  }
}

const sentence = (words) => {
  const text = String(words).trim();
  const whole = /[.!?…]$/.test(text) ? text : `${text}.`;
  return /^[a-z]+[\s,;]/.test(whole) ? whole[0].toUpperCase() + whole.slice(1) : whole;
};

async function refusal(response) {
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    // not JSON: a proxy's page, say
  }
  const said = problem.detail ?? problem.photos?.[0]?.error;
  const detail = typeof said === "string" ? said : `The server answered ${response.status} ${response.statusText}`;
  return new Refused(sentence(detail), response.status, problem.rejected);
}

/** Send a request; returns the response, or throws what the server refused. */
export async function send(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The server does not answer. Is tagdb serve still running?", 0);
  }
  if (response.ok) return response;
  if (response.status === 401 && options.method && !options.again && (await renewed())) return send(path, { ...options, again: true });
  throw await refusal(response);
}

/** Whether the page has got another cookie, where it takes no token: the service was restarted, and knows only its new one. */
async function renewed() {
  try {
    const session = await (await fetch("/v1/session", { credentials: "same-origin" })).json();
    return !session.needs_token && (await fetch("/", { credentials: "same-origin" })).ok;
  } catch {
    return false;
  }
}

const asJson = async (response) => (response.status === 204 ? null : response.json());

/** Parameters that are set, as a query; an array is repeated. */
export function query(parameters) {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") given.append(name, one);
    }
  }
  const text = given.toString();
  return text ? `?${text}` : "";
}

export const get = async (path, parameters = {}, options = {}) => asJson(await send(path + query(parameters), options));

export const post = async (path, body, options = {}) =>
  asJson(await send(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), ...options }));

export const postForm = async (path, form, options = {}) => asJson(await send(path, { method: "POST", body: form, ...options }));

export const remove = async (path) => asJson(await send(path, { method: "DELETE" }));

/**
 * Asks again and again with what is current, and gives only the newest answer: whatever is asked later
 * aborts what was asked before, and an answer that comes too late is dropped.
 */
export class Latest {
  #controller = null;

  async ask(run) {
    this.#controller?.abort();
    const mine = new AbortController();
    this.#controller = mine;
    const answer = await run(mine.signal);
    if (mine !== this.#controller) throw new DOMException("a newer question was asked", "AbortError");
    return answer;
  }

  drop() {
    this.#controller?.abort();
    this.#controller = null;
  }
}
