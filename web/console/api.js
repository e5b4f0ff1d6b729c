// What the page asks its server. The key goes into a header of each request, and nowhere else.

const storedAs = 'canang.console.key';

export class WrongKey extends Error {}

// The server's own words, for whoever looks at the page.
export class Refused extends Error {}

// What was asked is not wanted any more.
export class GivenUp extends Error {}

// Storage may be forbidden: then the key goes with the page.
export function storedKey() {
  try {
    return sessionStorage.getItem(storedAs) ?? '';
  } catch {
    return '';
  }
}

export function storeKey(key) {
  try {
    if (key === '') sessionStorage.removeItem(storedAs);
    else sessionStorage.setItem(storedAs, key);
  } catch {
    // it has to be typed in again
  }
}

// As the server takes them: others fit into no header.
export function isKey(text) {
  return /^[\x21-\x7e]+$/.test(text);
}

// Large numbers of what was published stay as they were written, where the browser can: its own have 53 bits.
function asWritten(name, value, context) {
  const isLarge = typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER;
  return isLarge && context && JSON.rawJSON ? JSON.rawJSON(context.source) : value;
}

const timeoutMs = 15_000;

export class Api {
  #key;
  #end = new AbortController();

  constructor(key) {
    this.#key = key;
  }

  // Gives up what is asked; nothing more is.
  close() {
    this.#end.abort(new GivenUp());
  }

  nodes() {
    return this.#ask('console/api/nodes');
  }

  hour() {
    return this.#ask('console/api/hour');
  }

  // A command or question: its result. What is in `written` is JSON already, and goes as it is.
  async call(method, body, written = {}) {
    const fields = [
      ...Object.entries(body).map(([name, value]) => [name, JSON.stringify(value)]),
      ...Object.entries(written),
    ];
    const { result, error } = await this.#ask(`console/api/${method}`, {
      method: 'POST',
      body: `{${fields.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join()}}`,
    });
    if (error) throw new Refused(error.message);
    return result;
  }

  async #ask(path, how = {}) {
    const answer = await fetch(path, {
      ...how,
      headers: { Authorization: `Bearer ${this.#key}` },
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      signal: AbortSignal.any([this.#end.signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (answer.status === 401) throw new WrongKey('The key is wrong.');
    const text = await answer.text();
    let told;
    try {
      told = JSON.parse(text, asWritten);
    } catch {
      throw new Refused(text.trim() || `The server answered ${answer.status}.`);
    }
    if (!answer.ok && !told.error) throw new Refused(told.reason ?? `status ${answer.status}`);
    return told;
  }
}
