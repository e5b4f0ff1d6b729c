// Parts of the chat page that need no browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arrivals, readMessage } from '../../../web/message.js';
import { People } from '../../../web/people.js';
import { rememberSent, wasSent } from '../../../web/store.js';
import { backText, gapText, movesText } from '../../../web/state_text.js';

const presence = (...users) =>
  Object.fromEntries(users.map((user, n) => [`n/${n}`, { user, client: `n/${n}` }]));
const names = (people) => people.map(({ name }) => name);
const moves = ({ came, gone }) => [names(came), names(gone)];
const nothing = [[], []];

test('those who are there at first have not come', () => {
  const people = new People();
  assert.deepEqual(moves(people.update(presence('Budi', 'Ana', ''), 0)), nothing);
  assert.deepEqual(names(people.all), ['Ana', 'Budi', '']);
  assert.deepEqual(moves(people.update(presence('Ana', 'Budi', 'Citra'), 10_000)), [['Citra'], []]);
});

test('a user is one person, and each connection without a user one', () => {
  const people = new People();
  people.update(presence('Ana', 'Ana', '', ''), 0);
  assert.equal(people.count, 3);
  assert.deepEqual(people.all[0].clients, ['n/0', 'n/1']);
});

test('who is missing once may be coming back, who is missing twice has gone', () => {
  const people = new People();
  people.update(presence('Ana', 'Budi'), 0);
  assert.deepEqual(moves(people.update(presence('Ana'), 10_000)), nothing);
  assert.ok(people.hasDoubts);
  assert.deepEqual(moves(people.update(presence('Ana', 'Budi'), 14_000)), nothing);
  assert.ok(!people.hasDoubts);
  people.update(presence('Ana'), 24_000);
  assert.deepEqual(moves(people.update(presence('Ana'), 28_000)), [[], ['Budi']]);
  assert.deepEqual(names(people.all), ['Ana']);
});

test('an answer that may be older than a join or a leave does not undo it', () => {
  const people = new People();
  people.update(presence('Ana', 'Budi'), 0);
  assert.deepEqual(moves(people.joined({ user: 'Citra', client: 'n/7' }, 1000)), [['Citra'], []]);
  assert.deepEqual(moves(people.left({ user: 'Budi', client: 'n/1' }, 1000)), [[], ['Budi']]);
  for (const at of [1500, 2000]) {
    assert.deepEqual(moves(people.update(presence('Ana', 'Budi'), at)), nothing);
  }
  assert.deepEqual(names(people.all), ['Ana', 'Citra']);
  assert.deepEqual(moves(people.update(presence('Ana', 'Budi', 'Citra'), 7000)), [['Budi'], []]);
});

test('who joins twice has come once, and who was not there has not gone', () => {
  const people = new People();
  people.update({}, 0);
  people.joined({ user: 'Ana', client: 'n/1' }, 0);
  assert.deepEqual(moves(people.joined({ user: 'Ana', client: 'n/2' }, 0)), nothing);
  assert.deepEqual(moves(people.left({ user: 'Budi', client: 'n/3' }, 0)), nothing);
});

const message = (text) => readMessage(text);
const texts = (messages) => messages.map(({ body }) => body);

for (const [here, again, fresh] of [
  ['', 'ab', 'ab'],
  ['ab', '', ''],
  ['ab', 'ab', ''],
  ['xab', 'abc', 'c'],
  ['aab', 'aabac', 'ac'],
  ['aaab', 'aabc', 'c'],
  ['abc', 'bcab', 'ab'],
  ['abc', 'xyz', 'xyz'],
]) {
  test(`of ${again || 'nothing'} that comes again where ${here || 'nothing'} is, new is ${fresh || 'nothing'}`, () => {
    const arrivals = new Arrivals();
    for (const text of here) assert.ok(arrivals.accept(message(text)));
    assert.deepEqual(texts(arrivals.newOf([...again].map(message))), [...fresh]);
  });
}

test('the people are put in order when somebody comes or goes, and not when they are looked at', () => {
  const people = new People();
  people.update(presence('Budi', 'Ana'), 0);
  const before = people.all;
  assert.equal(people.all, before);
  people.joined({ user: 'Aaron', client: 'n/9' }, 0);
  assert.deepEqual(names(people.all), ['Aaron', 'Ana', 'Budi']);
  people.left({ user: 'Ana', client: 'n/1' }, 0);
  assert.deepEqual(names(people.all), ['Aaron', 'Budi']);
  people.update(presence('Zoe', 'Aaron'), 10_000);
  assert.deepEqual(names(people.all), ['Aaron', 'Budi', 'Zoe']);
});

test('a message is one\'s own in the room that it was sent to', () => {
  rememberSent('kitchen', 'id');
  assert.ok(wasSent('kitchen', 'id'));
  assert.ok(!wasSent('hall', 'id'));
  assert.ok(!wasSent('kitchen', 'other'));
});

test('a message with an id is new once', () => {
  const arrivals = new Arrivals();
  const chat = readMessage({ id: 'i', name: 'Ana', body: 'once', at: 0 });
  assert.deepEqual([arrivals.accept(chat), arrivals.accept(chat)], [true, false]);
});

test('what became of a lost connection is said in words', () => {
  assert.equal(backText({ lostMs: 300, recovered: 0 }), 'Connection lost for a moment. Back: nothing was missed.');
  assert.equal(backText({ lostMs: 12_000, recovered: 1 }), 'Connection lost for 12 s. Back: 1 message recovered.');
  assert.equal(backText({ lostMs: 600_000, recovered: 30 }), 'Connection lost for 10 min. Back: 30 messages recovered.');
  assert.equal(gapText({ lostMs: 1e7 }), 'Connection lost for 3 h. Some messages could not be recovered.');
  assert.equal(gapText({ lostMs: 0 }), 'Some messages could not be recovered.');
});

test('several who come are named in one line, and many counted', () => {
  assert.equal(movesText(['A'], 'joined'), 'A joined');
  assert.equal(movesText(['A', 'B'], 'left'), 'A and B left');
  assert.equal(movesText(['A', 'B', 'C'], 'left'), 'A, B and C left');
  assert.equal(movesText(['A', 'B', 'C', 'D'], 'left'), 'A, B and 2 others left');
});
