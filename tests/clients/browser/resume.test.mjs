// The chat page against a room that does on command what a cluster does on a bad day.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { StandInRoom } from './stand_in.mjs';
import { deadlineMs, launchBrowser, Person, Server } from './support.mjs';

const testMs = 2 * deadlineMs;
const note = 'Some messages may have been missed here.';
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

// Runs `meanwhile` while the page is not connected, and waits until it is again.
async function away(person, room, meanwhile) {
  const before = room.urls.length;
  // The wait before the next attempt is random and may be none.
  await person.page.evaluate(() => {
    Math.random = () => 1;
  });
  room.disconnect();
  meanwhile();
  await person.state('reconnecting');
  await person.page.click('#retry');
  await person.connected();
  assert.ok(room.urls.length > before);
}

test('the page asks for positions, and first for the last messages', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  for (let i = 0; i < 60; i += 1) room.say(`n${i}`);
  const ana = await arrive(room);
  await ana.sees('n59');
  assert.deepEqual(Object.fromEntries(room.last), { meta: 'true', history: '50' });
  const texts = await ana.texts();
  assert.equal(texts.length, 50);
  assert.equal(texts[0], 'n10');
  assert.deepEqual(await ana.lines(), texts, 'and no word of older ones: it never had them');
});

test('after a reconnect it gets what it missed, each once', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  await ana.say('one');
  room.say('two');
  room.publish({ data: 'same' });
  room.publish({ data64: btoa('abc') });
  await ana.sees('[binary, 3 bytes]');
  await away(ana, room, () => {
    for (let i = 0; i < 100; i += 1) room.publish({ data: 'same' });
  });
  room.say('three');
  await ana.sees('three');
  assert.deepEqual(Object.fromEntries(room.last), { meta: 'true', since: 'e1:4' });
  const sames = Array.from({ length: 100 }, () => 'same');
  const all = ['one', 'two', 'same', '[binary, 3 bytes]', ...sames, 'three'];
  assert.deepEqual(await ana.lines(), all);
});

test('who comes and goes is not shown, but counts for the place', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  await ana.say('one');
  room.publish({ joined: { id: 'n/1', user: 'Budi' } });
  room.publish({ left: { id: 'n/1', user: 'Budi' } });
  room.publish({ data: 'two' });
  await ana.sees('two');
  room.publish({ joined: { id: 'n/2', user: 'Citra' } });
  await away(ana, room, () => room.say('three'));
  await ana.sees('three');
  assert.equal(room.last.get('since'), 'e1:5');
  assert.deepEqual(await ana.lines(), ['one', 'two', 'three']);
});

test('who was away for more than is kept is told, and sees the last', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  await ana.say('before');
  await away(ana, room, () => {
    for (let i = 0; i < 200; i += 1) room.publish({ data: `n${i % 7}` });
  });
  room.say('after');
  await ana.sees('after');
  const last = Array.from({ length: 50 }, (_, i) => `n${(150 + i) % 7}`);
  assert.deepEqual(await ana.lines(), ['before', note, ...last, 'after']);
  const asked = room.urls.map((url) => new URL(url).searchParams.get('since'));
  assert.deepEqual(asked, [null, 'e1:1', null]);
});

test('a room that lost its messages says so once', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  await ana.say('before');
  await away(ana, room, () => {
    room.forget('e2');
    room.publish({ data: 'new' });
  });
  await ana.sees('new');
  await away(ana, room, () => room.say('newer'));
  await ana.sees('newer');
  assert.equal(room.last.get('since'), 'e2:1');
  assert.deepEqual(await ana.lines(), ['before', note, 'new', 'newer']);
});

test('what comes again under another epoch is not shown twice', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  await ana.say('one');
  for (const data of ['a', 'a', 'b']) room.publish({ data });
  await ana.sees('b');
  await away(ana, room, () => {
    room.renumber('e2');
    room.publish({ data: 'a' });
  });
  room.publish({ data: 'end' });
  await ana.sees('end');
  assert.deepEqual(await ana.lines(), ['one', 'a', 'a', 'b', note, 'a', 'end']);
});

test('a break in the stream is told, and the page goes on from there', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  await ana.say('one');
  room.loseNext(1);
  room.say('lost');
  room.break(false);
  room.say('two');
  await ana.sees('two');
  assert.equal(room.urls.length, 1, 'it stays connected');
  await away(ana, room, () => room.say('three'));
  await ana.sees('three');
  assert.deepEqual(await ana.lines(), ['one', note, 'two', 'three'], 'what it was told of is told');
});

test('an epoch that changed without a loss is nothing to tell', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  await ana.say('one');
  room.break(true, 'e2');
  await away(ana, room, () => room.say('two'));
  await ana.sees('two');
  assert.equal(room.last.get('since'), 'e2:1');
  assert.deepEqual(await ana.lines(), ['one', 'two']);
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
  assert.equal(room.urls.length, 1, 'it stays connected');
});

test('frames that make no sense are left out', { timeout: testMs }, async () => {
  const room = new StandInRoom();
  const ana = await arrive(room);
  for (const data64 of ['***', 5]) room.publish({ data64 });
  for (const data of [5, null, { a: 1 }]) room.publish({ data });
  room.offset = -5;
  room.publish({ data: 'a place that cannot be' });
  room.offset = 5;
  await ana.say('sound');
  assert.deepEqual(await ana.lines(), ['sound']);
});
