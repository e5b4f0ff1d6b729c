// Messages of Centrifugo's protocol in JSON: one or several commands, or replies, a line each.

const maxChars = 16_000; // at most 48 KB as UTF-8, below the server's limit for a message

// Gathers the commands of one task of the page into one message, or several that are not too long.
export class Batch {
  #send;
  #lines = [];

  // send(message)
  constructor(send) {
    this.#send = send;
  }

  add(command) {
    this.#lines.push(JSON.stringify(command));
    if (this.#lines.length === 1) queueMicrotask(() => this.#flush());
  }

  clear() {
    this.#lines = [];
  }

  #flush() {
    let message = '';
    for (const line of this.#lines.splice(0)) {
      if (message && message.length + line.length >= maxChars) {
        this.#send(message);
        message = '';
      }
      message += message ? `\n${line}` : line;
    }
    if (message) this.#send(message);
  }
}

// The replies in a message, one by one; null in place of what is none.
export function* repliesOf(data) {
  for (const line of typeof data === 'string' ? data.split('\n') : ['bytes']) {
    if (line) yield replyOf(line);
  }
}

function replyOf(line) {
  try {
    const reply = JSON.parse(line);
    return typeof reply === 'object' ? reply : null;
  } catch {
    return null;
  }
}
