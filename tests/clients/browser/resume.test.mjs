// The chat page against a room that does on command what a cluster does on a bad day.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { StandInRoom } from './stand_in.mjs';
import { deadlineMs, launchBrowser, Person, Server } from './support.mjs';

const testMs = 2 * deadlineMs;
const server = new Server(); // for the page itself
let browser;
let people = [];

before(async () => {
  await server.start();
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await server.stop('SIGTERM');
});

afterEach(async () => {
  const complaints = people.flatMap((person) => person.complaints);
  await Promise.all(people.map((person) => person.context.close()));
  people = [];
  assert.deepEqual(complaints, [], 'no page complains or asks another host for anything');
});

async function arrive(room) {
  const person = await Person.arrive(browser, server, {
    room: 'stand in',
    prepare: (page) => room.of(page),
  });
  people.push(person);
  return person;
}

// The wait before the next attempt is random and may be none: it is long, and ended by a click.
function waitLong(person) {
  return person.page.evaluate(() => {
    Math.random = () => 1;
  });
}

// Runs `meanwhile` while the page is not connected, and waits until it is again.
async function away(person, room, meanwhile) {
  const before = room.connections;
  await waitLong(person);
  room.disconnect();
  meanwhile();
  await person.state('reconnecting');
  await person.page.click('#retry');
  await person.connected();
  assert.ok(room.connections > before);
}

// What the page says of lost connections, without how long each took.
async function linesOf(person) {
  const lines = await person.lines();
  return lines.map((line) => line.replace(/^Connection lost for (a moment|\d+ s)\. /, '~ '));
}

const gap = '~ Some messages could not be recovered.';
const back = (what) => `~ Back: ${what}.`;

test('the page asks for recovery and joins, and shows the last messages', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  for (let i = 0; i < 60; i += 1) room.say(`n${i}`);
  const ana = await arrive(room);
  await ana.sees('n59');
  const [asked] = room.asked;
  assert.deepEqual(
    [asked.recover, asked.recoverable, asked.join_leave, asked.offset],
    [false, true, true, undefined],
  );
  const texts = await ana.texts();
  assert.equal(texts.length, 50);
  assert.equal(texts[0], 'n10');
  assert.deepEqual(await ana.lines(), texts, 'and no word of older ones: it never had them');
});

test('what is said while the history is on its way comes behind it, once', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  for (let i = 0; i < 3; i += 1) room.say(`n${i}`);
  room.onHistory = () => {
    room.publish('live');
    room.publishOutOfOrder('without a place');
  };
  const ana = await arrive(room);
  await ana.sees('without a place');
  room.say('end');
  await ana.sees('end');
  assert.deepEqual(await ana.lines(), ['n0', 'n1', 'n2', 'live', 'without a place', 'end']);
});

test('who loses the connection before the history came gets both', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  for (let i = 0; i < 3; i += 1) room.say(`n${i}`);
  room.onHistory = () => {
    room.onHistory = () => {};
    room.say('live');
    room.disconnect();
    room.say('missed');
    return 'nothing';
  };
  const ana = await arrive(room);
  await ana.sees('missed');
  assert.equal(room.connections, 2);
  assert.deepEqual(await ana.lines(), ['n0', 'n1', 'n2', 'live', 'missed']);
});

for (const [code, notes] of [[100, ['Earlier messages could not be fetched.']], [103, []], [108, []]]) {
  test(`a room whose history fails with ${code} goes on without`, { timeout: testMs }, async () => {
    const room = new StandInRoom();
    room.say('before');
    room.onHistory = () => {
      room.say('meanwhile');
      return { error: { code, message: 'why', temporary: code === 100 } };
    };
    const ana = await arrive(room);
    await ana.say('hello');
    assert.deepEqual(await ana.lines(), [...notes, 'meanwhile', 'hello']);
  });
}

test('after a reconnect it gets what it missed, each once, and says so', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  await ana.say('one');
  room.say('two');
  room.publish('same');
  await ana.sees('same');
  await away(ana, room, () => {
    for (let i = 0; i < 100; i += 1) room.publish('same');
  });
  room.say('three');
  await ana.sees('three');
  const { recover, epoch, offset } = room.asked.at(-1);
  assert.deepEqual([recover, epoch, offset], [true, 'e1', 3]);
  const sames = Array.from({ length: 100 }, () => 'same');
  const told = back('100 messages recovered');
  assert.deepEqual(await linesOf(ana), ['one', 'two', 'same', told, ...sames, 'three']);
});

test('who missed nothing is told that, once in a row', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  await ana.say('one');
  await away(ana, room, () => {});
  await away(ana, room, () => {});
  await ana.say('two');
  await away(ana, room, () => room.say('three'));
  await ana.sees('three');
  const all = ['one', back('nothing was missed'), 'two', back('1 message recovered'), 'three'];
  assert.deepEqual(await linesOf(ana), all);
});

for (const keeps of [true, false]) {
  const what = keeps ? 'all that was missed' : 'that some is missing';
  test(`where only the newest message is given, ${what} is told`, { timeout: testMs }, async () => {
    const room = new StandInRoom();
    room.keepsNewest = true;
    const ana = await arrive(room);
    await ana.say('one');
    await away(ana, room, () => room.say('two'));
    await ana.sees('two');
    await away(ana, room, () => {
      room.say('three');
      room.say('four');
      if (!keeps) room.forgetHistory();
      room.say('five');
    });
    room.say('six');
    await ana.sees('six');
    const missed = keeps ? [back('3 messages recovered'), 'three', 'four'] : [gap];
    const all = ['one', back('1 message recovered'), 'two', ...missed, 'five', 'six'];
    assert.deepEqual(await linesOf(ana), all);
  });
}

test('who comes and goes is shown, and told', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  room.people = { 'n/1': { client: 'n/1', user: 'Citra' }, 'n/2': { client: 'n/2', user: '' } };
  const ana = await arrive(room);
  await ana.page.locator('#people-count', { hasText: /^2$/ }).waitFor();
  await ana.say('one');
  room.move('join', 'n/3', 'Budi');
  room.move('join', 'n/4', 'Budi');
  room.move('join', 'n/5', '');
  await ana.page.locator('#people-count', { hasText: /^4$/ }).waitFor();
  assert.deepEqual(await ana.people(), ['Budi', 'Citra', '2 without a name']);
  room.move('leave', 'n/3', 'Budi');
  await ana.page.locator('#people-count', { hasText: /^3$/ }).waitFor();
  room.say('two');
  await ana.sees('two');
  assert.deepEqual(await ana.people(), ['Citra', '2 without a name']);
  assert.deepEqual(await ana.lines(), ['one', 'Budi joined', 'Budi left', 'two']);
});

test('who came while the page was away is told when it is back', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  await ana.say('one');
  await ana.page.locator('#people-section').waitFor();
  await away(ana, room, () => {
    for (const user of ['Budi', 'Citra', 'Dewi', 'Eka']) room.move('join', `n/${user}`, user);
  });
  await ana.page.locator('#people-count', { hasText: /^4$/ }).waitFor();
  await ana.say('two');
  const all = ['one', back('nothing was missed'), 'Budi, Citra and 2 others joined', 'two'];
  assert.deepEqual(await linesOf(ana), all);
});

test('who was away for more than is kept is told, and sees the last', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  await ana.say('before');
  await away(ana, room, () => {
    for (let i = 0; i < 200; i += 1) room.publish(`n${i % 7}`);
  });
  room.say('after');
  await ana.sees('after');
  const last = Array.from({ length: 50 }, (_, i) => `n${(150 + i) % 7}`);
  assert.deepEqual(await linesOf(ana), ['before', gap, ...last, 'after']);
});

test('a room that lost its messages says so once', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  await ana.say('before');
  await away(ana, room, () => {
    room.forget('e2');
    room.publish('new');
  });
  await ana.sees('new');
  await away(ana, room, () => room.say('newer'));
  await ana.sees('newer');
  const { epoch, offset } = room.asked.at(-1);
  assert.deepEqual([epoch, offset], ['e2', 1]);
  const all = ['before', gap, 'new', back('1 message recovered'), 'newer'];
  assert.deepEqual(await linesOf(ana), all);
});

test('what comes again under another epoch is not shown twice', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  await ana.say('one');
  for (const data of ['a', 'a', 'b']) room.publish(data);
  await ana.sees('b');
  await away(ana, room, () => {
    room.renumber('e2');
    room.publish('a');
  });
  room.publish('end');
  await ana.sees('end');
  assert.deepEqual(await linesOf(ana), ['one', 'a', 'a', 'b', gap, 'a', 'end']);
});

test('publications that were lost on the way are fetched', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  await ana.say('one');
  room.loseNext(1);
  room.say('lost');
  room.unsubscribe(2500, 'insufficient state');
  await ana.sees('lost');
  room.say('two');
  await ana.sees('two');
  assert.equal(room.connections, 1, 'it stays connected');
  assert.deepEqual(await ana.lines(), ['one', 'lost', 'two']);
});

test('where they cannot be fetched, it says so and goes on', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  await ana.say('one');
  room.loseNext(1);
  room.say('lost');
  room.forgetHistory();
  room.unsubscribe(2500, 'insufficient state');
  await ana.page.locator('.note.gap').waitFor();
  await ana.say('two');
  assert.equal(room.connections, 1, 'it stays connected');
  const note = 'Some messages could not be recovered.';
  assert.deepEqual(await ana.lines(), ['one', note, 'two']);
});

test('who is removed stays out until it wants in again', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  await ana.say('one');
  room.unsubscribe(2000, 'server unsubscribe');
  await ana.state('removed');
  assert.match(await ana.page.textContent('#banner-text'), /server unsubscribe/);
  assert.ok(await ana.page.isDisabled('#compose-text'));
  assert.ok(await ana.page.isHidden('#people-section'));
  assert.equal(room.asked.length, 1);
  await ana.page.locator('#retry', { hasText: 'Join again' }).click();
  await ana.connected();
  await ana.say('two');
  assert.equal(room.connections, 1);
  assert.deepEqual(await ana.lines(), ['one', 'two']);
});

test('a close that is for good is final until the person says otherwise', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  await ana.say('one');
  room.disconnect(3503, 'force disconnect');
  await ana.state('ended');
  assert.match(await ana.page.textContent('#banner-text'), /force disconnect/);
  await ana.page.evaluate(() => dispatchEvent(new Event('online')));
  assert.equal(room.connections, 1);
  room.say('meanwhile');
  await ana.page.locator('#retry', { hasText: 'Connect' }).click();
  await ana.connected();
  await ana.sees('meanwhile');
  assert.deepEqual(await linesOf(ana), ['one', back('1 message recovered'), 'meanwhile']);
});

test('a message that the room refuses can be sent again', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  room.refuseNext(1);
  await ana.page.fill('#compose-text', 'hello?');
  await ana.page.press('#compose-text', 'Enter');
  await ana.page.locator('#pending .failed').waitFor();
  await ana.say('something else');
  assert.equal(await ana.page.locator('#pending .failed').count(), 1);
  await ana.page.locator('#pending .failed .retry').click();
  await ana.sees('hello?');
  assert.deepEqual(await ana.lines(), ['something else', 'hello?']);
  assert.equal(await ana.page.locator('#pending > *').count(), 0);
  assert.equal(room.connections, 1, 'it stays connected');
});
