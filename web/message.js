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

// Tells new frames from those that the history brings again after a reconnect. This page's messages
// are known by their id. Foreign ones have none: as the server keeps one order, the replay must
// continue, frame by frame, somewhere in the tail of what was here before; where it stops matching,
// what follows is new.
export class Arrivals {
  #seen = new Set();
  #tail = [];
  #replay = null;

  reconnected(nowMs) {
    this.#replay = { tail: [...this.#tail], next: null, fresh: 0, untilMs: nowMs + replayWindowMs };
  }

  // 'new', 'double', or 'gap': new, and it shows that more was missed than the history brought.
  accept(frame, nowMs) {
    if (this.#replay && nowMs > this.#replay.untilMs) this.#replay = null;
    if (this.#replayed(frame.key)) return 'double';
    if (frame.kind === 'chat') {
      if (this.#seen.has(frame.id)) return 'double';
      this.#seen.add(frame.id);
      if (this.#seen.size > maxSeenIds) this.#seen.delete(this.#seen.values().next().value);
    }
    this.#tail.push(frame.key);
    if (this.#tail.length > historyWanted) this.#tail.shift();
    return this.#fullOfFresh() ? 'gap' : 'new';
  }

  #replayed(key) {
    const replay = this.#replay;
    if (!replay || replay.fresh > 0) return false;
    const starts = replay.next ?? replay.tail.keys();
    const next = [];
    for (const at of starts) if (replay.tail[at] === key) next.push(at + 1);
    if (next.length > 0) {
      replay.next = next;
      return true;
    }
    if (replay.next) this.#replay = null; // it went past the tail: nothing is missing
    return false;
  }

  #fullOfFresh() {
    const replay = this.#replay;
    if (!replay || replay.tail.length === 0) return false;
    replay.fresh += 1;
    if (replay.fresh < historyWanted) return false;
    this.#replay = null;
    return true;
  }
}
