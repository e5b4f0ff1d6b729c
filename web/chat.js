// The chat page: binds one room's messages and people, and what the person types.

import { Composer } from './composer.js';
import { Drawer } from './drawer.js';
import { Link } from './link.js';
import { LogView } from './log_view.js';
import { Arrivals, cleanName, makeMessage, maxBodyChars, maxNameChars, readMessage } from './message.js';
import { Outbox } from './outbox.js';
import { PeopleView } from './people_view.js';
import { drawRooms, hashOf, roomOfHash, roomProblem } from './rooms.js';
import {
  backText, bannerText, gapText, isComingBack, movesText, retryText, spokenText, stateText,
} from './state_text.js';
import { forgetRoom, rememberSent, storedName, storeName, storeRoom, wasSent } from './store.js';

const quietAfterOpenMs = 500; // the history is not read aloud
const movesShownUpTo = 50; // people: in a crowd nobody cares who comes and goes

const byId = (id) => document.getElementById(id);
const app = byId('app');
const nameInput = byId('name');

const view = new LogView({
  scroller: byId('log'),
  list: byId('messages'),
  pendingList: byId('pending'),
  newer: byId('newer'),
  empty: byId('empty'),
});
const peopleView = new PeopleView({
  section: byId('people-section'),
  count: byId('people-count'),
  list: byId('people'),
  badge: byId('here'),
});
const composer = new Composer({
  form: byId('compose'),
  input: byId('compose-text'),
  button: byId('send'),
  maxChars: maxBodyChars,
  onSend: sendText,
});
const drawer = new Drawer({
  app,
  menu: byId('menu'),
  close: byId('close-side'),
  scrim: byId('scrim'),
  behind: byId('room'),
});

let room = '';
let name = '';
const formerNames = new Set(); // of this page
let arrivals = new Arrivals();
let state = { name: 'connecting' };
let unread = 0;
let quietTimer = 0;
const drafts = new Map(); // room -> text

const link = new Link(showState);
const outbox = new Outbox((message) => link.publish(room, message), view, () => link.retryNow());

// ---- rooms --------------------------------------------------------------------------------------

function enterRoom() {
  const next = roomOfHash();
  if (next === room) return;
  leaveRoom();
  room = next;
  byId('room-name').textContent = room;
  byId('empty-room').textContent = room;
  composer.text = drafts.get(room) ?? '';
  setUnread(0);

  const problem = roomProblem(room);
  if (problem) {
    showState({ name: 'refused', problem });
  } else {
    storeRoom(room);
    showState({ name: 'connecting' });
    link.enter(room, {
      message: receive,
      history: receiveHistory,
      replay: (data) => receiveHistory(data, true),
      noHistory: () => view.addNote('Earlier messages could not be fetched.'),
      back: (how) => view.addNote(backText(how), { kind: 'back', group: how.recovered ? '' : 'back' }),
      gap: (how) => view.addNote(gapText(how), { kind: 'gap' }),
      people: showPeople,
    });
  }
  showRooms();
}

function leaveRoom() {
  link.leave();
  const texts = [...outbox.clear(), composer.text];
  if (room) drafts.set(room, texts.filter(Boolean).join('\n'));
  arrivals = new Arrivals();
  composer.focus(matchMedia('(pointer: fine)').matches); // on a phone it would bring up the keyboard
  view.clear();
  peopleView.show(null);
}

function showRooms() {
  drawRooms(byId('rooms'), room, {
    onOpen: () => drawer.set(false),
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
  drawer.set(false);
  location.hash = hashOf(wanted);
});

addEventListener('hashchange', enterRoom);

// ---- people -------------------------------------------------------------------------------------

function showPeople(people, { came, gone }) {
  peopleView.show(people, isMe);
  if (people === null || people.count > movesShownUpTo) return;
  tellMoves(came, 'joined');
  tellMoves(gone, 'left');
}

// Connections without a name come and go unmentioned. Isolated, so that no name turns the line around.
function tellMoves(moved, verb) {
  const others = moved.filter((person) => !isMe(person) && !formerNames.has(person.name));
  const names = others.map((person) => person.name).filter(Boolean);
  if (names.length === 0) return;
  const isolated = names.map((other) => `\u2068${other}\u2069`);
  view.addNote(movesText(isolated, verb), { kind: 'move' });
}

function isMe(person) {
  return person.name === name || person.clients.includes(link.clientId);
}

function setName(wanted) {
  const next = cleanName(wanted) || name;
  if (name) formerNames.add(name);
  formerNames.delete(next);
  name = next;
  nameInput.value = name;
  byId('as-name').textContent = name;
  storeName(name);
  link.setUser(name);
}

function guestName() {
  return `Guest ${100 + Math.floor(Math.random() * 900)}`;
}

nameInput.maxLength = maxNameChars;
nameInput.addEventListener('change', () => setName(nameInput.value));
byId('identity').addEventListener('submit', (event) => {
  event.preventDefault();
  setName(nameInput.value);
  drawer.set(false);
  nameInput.blur();
  composer.focus();
});
byId('as').addEventListener('click', () => {
  drawer.set(true);
  nameInput.focus();
  nameInput.select();
});
byId('here').addEventListener('click', () => drawer.set(true));

// ---- connection state ---------------------------------------------------------------------------

function showState(next) {
  const was = state.name;
  state = next;
  app.dataset.state = state.name;
  composer.setWritable(state.name === 'connected');
  const retry = retryText(state);
  byId('retry').hidden = !retry;
  byId('retry').textContent = retry ?? '';
  if (was !== state.name) byId('state-spoken').textContent = spokenText(state);
  if (retry && !isComingBack(state)) peopleView.show(null);
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

byId('retry').addEventListener('click', () => link.retryNow());

// ---- messages -----------------------------------------------------------------------------------

function receive(data) {
  take(readMessage(data));
}

function receiveHistory(data, mayBeHere = false) {
  beQuiet();
  const messages = data.map(readMessage);
  for (const message of mayBeHere ? arrivals.newOf(messages) : messages) take(message);
}

function take(message) {
  if (message.kind === 'chat') outbox.confirm(message.id);
  if (!arrivals.accept(message)) return;
  const mine = message.kind === 'chat' && wasSent(room, message.id);
  view.add({ ...message, mine });
  if (!mine && document.hidden) setUnread(unread + 1);
}

function sendText() {
  const body = composer.text.trim();
  if (!body || state.name !== 'connected') return;
  const message = makeMessage(name, body);
  rememberSent(room, message.id);
  outbox.send(message);
  composer.text = '';
  drafts.delete(room);
}

function setUnread(count) {
  unread = count;
  document.title = `${count > 0 ? `(${count}) ` : ''}${room} · Canang`;
}

document.addEventListener('visibilitychange', () => document.hidden || setUnread(0));

// ---- the rest -----------------------------------------------------------------------------------

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
