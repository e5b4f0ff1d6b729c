// Rooms by URL: what follows the # is the room's name, percent-encoded where a URL needs it.

import { storedRooms } from './store.js';

export const defaultRoom = 'lobby';
const maxRoomBytes = 255;

export function roomOfHash() {
  const raw = location.hash.slice(1);
  try {
    return decodeURIComponent(raw) || defaultRoom;
  } catch {
    return raw; // a lone % that a person typed
  }
}

export function hashOf(room) {
  return `#${encodeURIComponent(room)}`;
}

// Null, or why the server would not take the name. No URL can carry . or .. as a segment, encoded or
// not (WHATWG URL, single-dot and double-dot path segments).
export function roomProblem(room) {
  if (new TextEncoder().encode(room).length > maxRoomBytes) return 'That room name is too long.';
  if (/\p{Cc}/u.test(room)) return 'A room name has no control characters.';
  if (room === '.' || room === '..') return 'A room cannot be named . or .., which no link can carry.';
  return null;
}

export function drawRooms(list, current, { onOpen, onForget }) {
  const rooms = [defaultRoom, ...storedRooms().filter((room) => room !== defaultRoom)];
  if (!rooms.includes(current)) rooms.push(current);
  list.replaceChildren(
    ...rooms.map((room) => {
      const item = document.createElement('li');
      item.append(roomLink(room, room === current, onOpen));
      if (room !== current && room !== defaultRoom) item.append(forgetButton(room, onForget));
      return item;
    }),
  );
}

function roomLink(room, isCurrent, onOpen) {
  const link = document.createElement('a');
  link.href = hashOf(room);
  const label = document.createElement('bdi');
  label.textContent = room;
  link.append(label);
  if (isCurrent) link.setAttribute('aria-current', 'page');
  link.addEventListener('click', onOpen);
  return link;
}

function forgetButton(room, onForget) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'forget';
  button.textContent = '×';
  button.setAttribute('aria-label', `Remove ${room} from this list`);
  button.addEventListener('click', () => onForget(room));
  return button;
}
