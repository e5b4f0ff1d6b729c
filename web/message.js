// What travels in a room. This page publishes JSON {"id","name","body","at"}, but any client may
// speak in a room, in any protocol, so whatever else arrives is shown as it is.

export const maxBodyChars = 4000; // at most 24 KB as JSON, well below the server's 64 KiB
export const maxNameChars = 40;
export const historyWanted = 50;

const maxShownChars = 8000;
const maxSeenIds = 1000;
const maxDateMs = 8.64e15; // beyond it a Date is invalid (ECMA-262, time values)

export function makeMessage(name, body) {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  const id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { id, name, body, at: Date.now() };
}

// Data of a publication -> {kind, key, name, body, at}. What a client published as text that is not
// JSON is a string here, and what it published as bytes is their base64. The key says which are the
// same one.
export function readMessage(data) {
  const chat = readChat(data);
  if (chat) return { kind: 'chat', key: `id ${chat.id}`, ...chat };
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return { kind: 'text', key: `text ${text}`, name: '', body: shorten(text), at: Date.now() };
}

function readChat(data) {
  if (typeof data !== 'object' || data === null) return null;
  const { id, name, body, at } = data;
  if (typeof id !== 'string' || id === '' || id.length > 128) return null;
  if (typeof name !== 'string' || typeof body !== 'string') return null;
  if (typeof at !== 'number' || !(Math.abs(at) <= maxDateMs)) return null;
  return { id, name: cleanName(name) || 'anonymous', body: shorten(body), at };
}

export function cleanName(name) {
  const oneLine = name.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return Array.from(oneLine).slice(0, maxNameChars).join('').trim();
}

function shorten(text) {
  if (text.length <= maxShownChars) return text;
  const left = text.length - maxShownChars;
  return `${text.slice(0, maxShownChars)} … (${left} more characters)`;
}

// Tells new messages from those that are here already: those of this page by their id, however they
// come again. Others have none. When the room's last ones come again under other positions, then, as
// the server keeps one order, they must continue, one by one, somewhere in the tail of what was here
// before; where they stop matching, what follows is new.
export class Arrivals {
  #seen = new Set();
  #tail = [];

  // Those of the room's last messages that were not here before.
  newOf(messages) {
    let known = 0;
    for (const start of this.#tail.keys()) {
      let end = 0;
      while (end < messages.length && this.#tail[start + end] === messages[end].key) end += 1;
      known = Math.max(known, end);
    }
    return messages.slice(known);
  }

  // False for one that was here before.
  accept(message) {
    if (message.kind === 'chat') {
      if (this.#seen.has(message.id)) return false;
      this.#seen.add(message.id);
      if (this.#seen.size > maxSeenIds) this.#seen.delete(this.#seen.values().next().value);
    }
    this.#tail.push(message.key);
    if (this.#tail.length > historyWanted) this.#tail.shift();
    return true;
  }
}
