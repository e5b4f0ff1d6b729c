// The console: the key first, then what the node that serves the page knows of its cluster.

import { say } from './actions.js';
import { Api, isKey, storedKey, storeKey, WrongKey } from './api.js';
import { byId, wipe } from './dom.js';
import { drawHour, drawNodes } from './nodes_view.js';
import { Poll } from './poll.js';
import { RoomView } from './room_view.js';
import { RoomsView } from './rooms_view.js';
import { UserView } from './user_view.js';

const nodesEveryMs = 5_000;
const hourEveryMs = 10_000;
const roomsEveryMs = 30_000; // it looks at every room

const problems = new Map(); // what -> text
let api = null; // while a key is tried, or used
let polls = [];
let room;
let rooms;
let user;

function showProblems() {
  const banner = byId('banner');
  banner.textContent = [...new Set(problems.values())].join(' ');
  banner.hidden = problems.size === 0;
}

function wordsFor(error) {
  // fetch says it in words of the browser
  const isAway = error instanceof TypeError || error.name === 'TimeoutError';
  return isAway ? 'This node does not answer: what is below is old.' : error.message;
}

// Does it, and says in the banner what is wrong with it, as long as that is so.
async function attempt(what, task) {
  const asked = api;
  try {
    await task();
    problems.delete(what);
  } catch (error) {
    if (asked !== api) return; // with a key that is forgotten
    if (error instanceof WrongKey) return leave(error.message);
    problems.set(what, wordsFor(error));
  }
  showProblems();
}

// What the person has just asked for.
async function ask(task) {
  const asked = api;
  say('');
  try {
    await task();
  } catch (error) {
    if (asked !== api) return;
    if (error instanceof WrongKey) leave(error.message);
    else say(wordsFor(error), true);
  }
}

// Ends what was asked with the key, and takes away what was shown.
function forget() {
  api?.close();
  api = null;
  polls.forEach((poll) => poll.end());
  polls = [];
  problems.clear();
  wipe();
}

function leave(why = '') {
  storeKey('');
  forget();
  byId('console').hidden = true;
  byId('login').hidden = false;
  byId('login-problem').textContent = why;
  byId('key').value = '';
  byId('key').focus();
}

async function enter(key) {
  forget();
  if (!isKey(key)) return leave('The key is wrong.');
  const mine = (api = new Api(key));
  try {
    drawNodes(await mine.nodes());
  } catch (error) {
    if (mine !== api) return; // another key was given
    if (error instanceof WrongKey) return leave(error.message);
    problems.set('nodes', wordsFor(error));
  }
  storeKey(key);
  byId('key').value = '';
  byId('login').hidden = true;
  byId('console').hidden = false;
  showProblems();
  user = new UserView(mine);
  room = new RoomView(mine, (name) => ask(() => user.open(name)));
  rooms = new RoomsView(mine, (name) => ask(() => room.open(name)));
  const watch = (what, task, everyMs) => new Poll(() => attempt(what, task), everyMs);
  polls = [
    watch('nodes', async () => drawNodes(await mine.nodes()), nodesEveryMs),
    watch('hour', async () => drawHour(await mine.hour()), hourEveryMs),
    watch('rooms', () => rooms.refresh(), roomsEveryMs),
  ];
  polls.forEach((poll) => poll.run());
  byId('nodes').focus({ preventScroll: true });
}

function onSubmit(form, handler) {
  byId(form).addEventListener('submit', (event) => {
    event.preventDefault();
    handler();
  });
}

onSubmit('login-form', () => enter(byId('key').value.trim()));
onSubmit('rooms-form', () => ask(() => rooms.list(byId('pattern').value)));
onSubmit('room-form', () => ask(() => room.open(byId('room-name').value)));
onSubmit('user-form', () => ask(() => user.open(byId('user-name').value)));
onSubmit('remove-form', () => ask(() => user.remove(byId('remove-room').value)));
onSubmit('publish-form', () =>
  ask(async () => {
    const payload = byId('payload');
    if (await room.publish(payload.value)) payload.value = '';
  }),
);
byId('leave').addEventListener('click', () => leave());
byId('room-refresh').addEventListener('click', () => ask(() => room.refresh()));
byId('room-close').addEventListener('click', () => room.close());
byId('user-disconnect').addEventListener('click', () => ask(() => user.disconnect()));
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) polls.forEach((poll) => poll.run());
});

const key = storedKey();
if (key) enter(key);
else leave();
