// The chat page: binds one room's link, the list of messages, and what the person types.

import { Link } from './link.js';
import { LogView } from './log_view.js';
import {
  Arrivals, cleanName, makeMessage, maxBodyChars, maxNameChars, parseFrame,
} from './message.js';
import { drawRooms, hashOf, roomOfHash, roomProblem, socketUrl } from './rooms.js';
import { bannerText, spokenText, stateText } from './state_text.js';
import { forgetRoom, rememberSent, storedName, storeName, storeRoom, wasSent } from './store.js';

const unconfirmedMs = 10_000; // not come back by then: the connection is as good as dead
const quietAfterOpenMs = 500; // the history is not read aloud
const narrow = matchMedia('(max-width: 760px)');

const byId = (id) => document.getElementById(id);
const app = byId('app');
const nameInput = byId('name');
const input = byId('compose-text');
const sendButton = byId('send');

const view = new LogView({
  scroller: byId('log'),
  list: byId('messages'),
  pendingList: byId('pending'),
  newer: byId('newer'),
  empty: byId('empty'),
});

let room = '';
let name = '';
let link = null;
let arrivals = new Arrivals();
let state = { name: 'connecting' };
let unread = 0;
let typing = false; // the box gets the focus when it can be written in
let quietTimer = 0;
const drafts = new Map(); // room -> text
const unconfirmed = new Map(); // id -> {message, timer, failed}

// ---- rooms --------------------------------------------------------------------------------------

function enterRoom() {
  const next = roomOfHash();
  if (next === room) return;
  leaveRoom();
  room = next;
  byId('room-name').textContent = room;
  byId('empty-room').textContent = room;
  input.value = drafts.get(room) ?? '';
  fitInput();
  setUnread(0);

  const problem = roomProblem(room);
  if (problem) {
    showState({ name: 'refused', problem });
  } else {
    storeRoom(room);
    link = new Link((position) => socketUrl(next, position), {
      onState: showState,
      onData: receive,
      onMissed: tellMissed,
      onRefused: giveUpOnOldest,
    });
  }
  showRooms();
}

function leaveRoom() {
  const unsent = [...unconfirmed.values()].filter(({ failed }) => failed);
  const texts = [...unsent.map(({ message }) => message.body), input.value];
  if (room) drafts.set(room, texts.filter(Boolean).join('\n'));
  link?.close();
  link = null;
  for (const { timer } of unconfirmed.values()) clearTimeout(timer);
  unconfirmed.clear();
  arrivals = new Arrivals();
  typing = matchMedia('(pointer: fine)').matches; // on a phone it would bring up the keyboard
  view.clear();
}

function showRooms() {
  drawRooms(byId('rooms'), room, {
    onOpen: () => setDrawer(false),
    onForget: (other) => {
      forgetRoom(other);
      showRooms();
    },
  });
}

byId('join').addEventListener('submit', (event) => {
  event.preventDefault();
  const wanted = byId('join-room').value.trim().replace(/^#+/, '');
  if (!wanted) return;
  const problem = roomProblem(wanted);
  byId('join-problem').textContent = problem ?? '';
  if (problem) return;
  byId('join-room').value = '';
  setDrawer(false);
  location.hash = hashOf(wanted);
});

addEventListener('hashchange', enterRoom);

// ---- name ---------------------------------------------------------------------------------------

function setName(wanted) {
  name = cleanName(wanted) || name;
  nameInput.value = name;
  byId('as-name').textContent = name;
  storeName(name);
}

function guestName() {
  return `Guest ${100 + Math.floor(Math.random() * 900)}`;
}

nameInput.maxLength = maxNameChars;
nameInput.addEventListener('change', () => setName(nameInput.value));
byId('identity').addEventListener('submit', (event) => {
  event.preventDefault();
  setName(nameInput.value);
  setDrawer(false);
  input.focus();
});
byId('as').addEventListener('click', () => {
  setDrawer(true);
  nameInput.focus();
  nameInput.select();
});

// ---- connection state ---------------------------------------------------------------------------

function showState(next) {
  const was = state.name;
  state = next;
  app.dataset.state = state.name;
  if (state.name === 'connected') {
    if (state.missed) tellMissed();
    if (state.replays) arrivals.replayFollows(performance.now());
    beQuiet();
  } else if (was === 'connected') {
    for (const id of unconfirmed.keys()) giveUpOn(id);
  }

  const writable = state.name === 'connected';
  if (!writable && document.activeElement === input) typing = true;
  input.disabled = !writable;
  sendButton.disabled = !writable;
  if (writable && typing && document.activeElement === document.body) input.focus();
  if (writable) typing = false;

  byId('retry').hidden = !(state.name === 'offline' || state.name === 'reconnecting');
  if (was !== state.name) byId('state-spoken').textContent = spokenText(state);
  byId('state-text').textContent = stateText(state);
  byId('banner-text').textContent = bannerText(state);
}

function beQuiet() {
  byId('log').setAttribute('aria-busy', 'true');
  clearTimeout(quietTimer);
  quietTimer = setTimeout(() => byId('log').removeAttribute('aria-busy'), quietAfterOpenMs);
}

setInterval(() => {
  if (state.name === 'reconnecting') byId('state-text').textContent = stateText(state);
}, 250);

byId('retry').addEventListener('click', () => link?.retryNow());

// ---- messages -----------------------------------------------------------------------------------

function receive(data) {
  const frame = parseFrame(data);
  if (frame.kind === 'chat') confirm(frame.id);
  if (!arrivals.accept(frame, performance.now())) return;
  const mine = frame.kind === 'chat' && wasSent(frame.id);
  view.add({ ...frame, mine });
  if (!mine && document.hidden) setUnread(unread + 1);
}

function tellMissed() {
  view.addNote('Some messages may have been missed here.');
}

function sendText() {
  const body = input.value.trim();
  if (!body || state.name !== 'connected') return;
  const message = makeMessage(name, body);
  rememberSent(message.id);
  if (!link.send(JSON.stringify(message))) return; // the text stays in the box
  view.addPending({ kind: 'chat', mine: true, ...message });
  expect(message);
  input.value = '';
  drafts.delete(room);
  fitInput();
}

// The room gives every message back to its sender: until then it is not known to have arrived.
function expect(message) {
  const timer = setTimeout(() => link?.retryNow(), unconfirmedMs);
  unconfirmed.set(message.id, { message, timer, failed: false });
}

function confirm(id) {
  clearTimeout(unconfirmed.get(id)?.timer);
  unconfirmed.delete(id);
}

// Stays known: the history may still bring it. Sent again with the same id, no page shows it twice.
function giveUpOn(id) {
  const entry = unconfirmed.get(id);
  const { message } = entry;
  clearTimeout(entry.timer);
  entry.failed = true;
  view.markFailed(id, () => {
    if (!link?.send(JSON.stringify(message))) return;
    view.markSending(id);
    expect(message);
  });
}

// Messages are taken in the order of sending.
function giveUpOnOldest() {
  for (const [id, { failed }] of unconfirmed) if (!failed) return giveUpOn(id);
}

function setUnread(count) {
  unread = count;
  document.title = `${count > 0 ? `(${count}) ` : ''}${room} · Canang`;
}

document.addEventListener('visibilitychange', () => document.hidden || setUnread(0));

// ---- the box ------------------------------------------------------------------------------------

function fitInput() {
  input.style.height = 'auto';
  input.style.height = `${input.scrollHeight}px`;
}

input.maxLength = maxBodyChars;
input.addEventListener('input', fitInput);
input.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  sendText();
});
byId('compose').addEventListener('submit', (event) => {
  event.preventDefault();
  sendText();
  input.focus();
});

// ---- the drawer (narrow screens) and the rest ---------------------------------------------------

function setDrawer(open) {
  if (!narrow.matches) open = false;
  const was = app.classList.contains('drawer-open');
  app.classList.toggle('drawer-open', open);
  byId('menu').setAttribute('aria-expanded', String(open));
  byId('room').inert = open;
  if (open && !was) byId('close-side').focus();
  if (!open && was) byId('menu').focus();
}

byId('menu').addEventListener('click', () => setDrawer(true));
byId('close-side').addEventListener('click', () => setDrawer(false));
byId('scrim').addEventListener('click', () => setDrawer(false));
addEventListener('keydown', (event) => event.key === 'Escape' && setDrawer(false));
narrow.addEventListener('change', () => setDrawer(false));

// The clipboard is there on https and localhost only.
byId('share').hidden = !navigator.clipboard;
byId('share').addEventListener('click', async () => {
  const label = byId('share-text');
  try {
    await navigator.clipboard.writeText(location.origin + location.pathname + hashOf(room));
    label.textContent = 'Copied';
  } catch {
    label.textContent = 'Not allowed';
  }
  setTimeout(() => (label.textContent = 'Copy link'), 2000);
});

setName(storedName() || guestName());
enterRoom();
