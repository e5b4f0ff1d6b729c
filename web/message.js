// What travels in a room. This page writes JSON text {"id","name","body","at"}, but any WebSocket
// client may speak in a room, so whatever else arrives is shown as it is.

export const maxBodyChars = 4000; // at most 24 KB as JSON, well below the server's 64 KiB
export const maxNameChars = 40;
export const historyWanted = 50;

const maxShownChars = 8000;
const maxSeenIds = 1000;
const maxDateMs = 8.64e15; // beyond it a Date is invalid (ECMA-262, time values)
const replayWindowMs = 3000; // the replay comes right behind the handshake: later frames are live

export function makeMessage(name, body) {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  const id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { id, name, body, at: Date.now() };
}

// Data of a WebSocket message (string or ArrayBuffer) -> {kind, key, name, body, at}. The key says
// which frames are the same one.
export function parseFrame(data) {
  if (typeof data !== 'string') {
    const bytes = data.byteLength;
    return {
      kind: 'binary',
      key: `binary ${bytes} ${fingerprint(new Uint8Array(data))}`,
      name: '',
      body: `[binary, ${bytes} ${bytes === 1 ? 'byte' : 'bytes'}]`,
      at: Date.now(),
    };
  }
  const chat = parseChat(data);
  if (chat) return { kind: 'chat', key: `id ${chat.id}`, ...chat };
  return { kind: 'text', key: `text ${data}`, name: '', body: shorten(data), at: Date.now() };
}

function parseChat(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { id, name, body, at } = value;
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

// FNV-1a: only to tell binary messages apart when the history comes again.
function fingerprint(bytes) {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

// Tells new frames from those that are here already: messages of this page by their id, however they
// come again. Others have none. When the room's last frames come again under other positions, then,
// as the server keeps one order, they must continue, frame by frame, somewhere in the tail of what
// was here before; where they stop matching, what follows is new.
export class Arrivals {
  #seen = new Set();
  #tail = [];
  #replay = null;

  replayFollows(nowMs) {
    this.#replay = { tail: [...this.#tail], next: null, untilMs: nowMs + replayWindowMs };
  }

  // False for one that was here before.
  accept(frame, nowMs) {
    if (this.#replay && nowMs > this.#replay.untilMs) this.#replay = null;
    if (this.#replayed(frame.key)) return false;
    if (frame.kind === 'chat') {
      if (this.#seen.has(frame.id)) return false;
      this.#seen.add(frame.id);
      if (this.#seen.size > maxSeenIds) this.#seen.delete(this.#seen.values().next().value);
    }
    this.#tail.push(frame.key);
    if (this.#tail.length > historyWanted) this.#tail.shift();
    return true;
  }

  #replayed(key) {
    const replay = this.#replay;
    if (!replay) return false;
    const starts = replay.next ?? replay.tail.keys();
    replay.next = [];
    for (const at of starts) if (replay.tail[at] === key) replay.next.push(at + 1);
    if (replay.next.length > 0) return true;
    this.#replay = null; // it went past the tail, or never was in it: this one is new
    return false;
  }
}
