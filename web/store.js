// What this browser remembers. Storage may be full or forbidden: then all goes with the page.

const maxRooms = 12;
const maxSentIds = 200;

function read(key, fallback) {
  try {
    const text = localStorage.getItem(`canang.${key}`);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

function write(key, value) {
  try {
    localStorage.setItem(`canang.${key}`, JSON.stringify(value));
  } catch {
    // Nothing depends on it.
  }
}

function strings(value) {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

export function storedName() {
  const name = read('name', '');
  return typeof name === 'string' ? name : '';
}

export function storeName(name) {
  write('name', name);
}

export function storedRooms() {
  return strings(read('rooms', []));
}

export function storeRoom(room) {
  const rooms = storedRooms();
  if (rooms.includes(room)) return;
  write('rooms', [...rooms, room].slice(-maxRooms));
}

export function forgetRoom(room) {
  write('rooms', storedRooms().filter((other) => other !== room));
}

// What was sent from this browser: after a reload one's own messages are still one's own. With the
// room, since anybody may send in another one what has the id of a message here.
const sent = new Set(strings(read('sent', [])));

const inRoom = (room, id) => JSON.stringify([room, id]);

export function rememberSent(room, id) {
  for (const other of strings(read('sent', []))) sent.add(other);
  sent.add(inRoom(room, id));
  write('sent', [...sent].slice(-maxSentIds));
}

export function wasSent(room, id) {
  return sent.has(inRoom(room, id));
}
