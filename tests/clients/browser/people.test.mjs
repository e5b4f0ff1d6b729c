// Who is in the room, and what becomes of the chat page when nodes die or operators act: with real servers.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { startRedis } from './redis.mjs';
import { deadlineMs, launchBrowser, Person, Server } from './support.mjs';

const testMs = 3 * deadlineMs;
let browser;
let people = [];
let ends = [];

before(async () => {
  browser = await launchBrowser();
});

after(() => browser?.close());

afterEach(async () => {
  const complaints = people.flatMap((person) => person.complaints);
  await Promise.all(people.map((person) => person.context.close()));
  people = [];
  for (const end of ends.reverse()) await end();
  ends = [];
  assert.deepEqual(complaints, [], 'no page complains or asks another host for anything');
});

async function startNode(...options) {
  const node = new Server(options);
  await node.start();
  ends.push(() => node.stop('SIGTERM'));
  return node;
}

// A browser that knows its name already.
async function arrive(server, name, options = {}) {
  const prepare = (page) =>
    page.addInitScript((text) => localStorage.setItem('canang.name', text), JSON.stringify(name));
  const person = await Person.arrive(browser, server, { prepare, ...options });
  people.push(person);
  return person;
}

async function lists(person, ...names) {
  for (const end = Date.now() + deadlineMs; ; ) {
    const seen = await person.people();
    if (seen.join() === names.join()) return;
    assert.ok(Date.now() < end, `it lists ${seen.join()}, not ${names.join()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function tells(person, line) {
  return person.page.locator('#messages .note', { hasText: line }).first().waitFor();
}

test('who is here is listed, and comings and goings are told', { timeout: testMs }, async () => {
  const server = await startNode('--join-leave', '*');
  const ana = await arrive(server, 'Ana', { room: 'doors' });
  await lists(ana, 'Ana (you)');
  const budi = await arrive(server, 'Budi', { room: 'doors' });
  for (const [person, ...names] of [[ana, 'Ana (you)', 'Budi'], [budi, 'Budi (you)', 'Ana']]) {
    await lists(person, ...names);
    assert.equal(await person.page.textContent('#people-count'), '2');
  }
  await tells(ana, /Budi.* joined/);
  const elsewhere = await arrive(server, 'Citra', { room: 'other' });
  await lists(elsewhere, 'Citra (you)');
  await budi.context.close();
  people.splice(people.indexOf(budi), 1);
  await tells(ana, /Budi.* left/);
  await lists(ana, 'Ana (you)');
  assert.deepEqual(await ana.lines(), ['Budi joined', 'Budi left']);
});

test('a page in two windows is one person', { timeout: testMs }, async () => {
  const server = await startNode('--join-leave', '*');
  const ana = await arrive(server, 'Ana');
  const again = await arrive(server, 'Ana');
  const budi = await arrive(server, 'Budi');
  const citra = await arrive(server, 'Citra');
  await lists(budi, 'Budi (you)', 'Ana', 'Citra');
  for (const person of [again, citra]) {
    await person.context.close();
    people.splice(people.indexOf(person), 1);
  }
  // Who had closed her window before would have been told before.
  for (const person of [ana, budi]) await tells(person, /Citra.* left/);
  await lists(budi, 'Budi (you)', 'Ana');
  assert.deepEqual(await budi.lines(), ['Citra joined', 'Citra left']);
  assert.deepEqual(await ana.lines(), ['Budi joined', 'Citra joined', 'Citra left']);
});

test('another name is seen by all, and costs no message', { timeout: testMs }, async () => {
  const server = await startNode('--join-leave', '*');
  const ana = await arrive(server, 'Ana');
  const budi = await arrive(server, 'Budi');
  await budi.say('before');
  await ana.sees('before');
  await budi.rename('Dewi');
  await budi.connected();
  await budi.say('after');
  await ana.sees('after');
  await tells(ana, /Dewi.* joined/);
  await lists(ana, 'Ana (you)', 'Dewi');
  assert.deepEqual(await budi.lines(), ['before', 'after'], 'nothing was lost, so nothing is told');
});

test('where joins are not told, the list follows by itself', { timeout: testMs }, async () => {
  const server = await startNode();
  const ana = await arrive(server, 'Ana');
  await lists(ana, 'Ana (you)');
  await arrive(server, 'Budi');
  await lists(ana, 'Ana (you)', 'Budi');
  await tells(ana, /Budi.* joined/);
});

test('where the presence is not kept, no list is shown', { timeout: testMs }, async () => {
  const server = await startNode('--presence', 'none');
  const ana = await arrive(server, 'Ana');
  await ana.say('hello');
  assert.ok(await ana.page.isHidden('#people-section'));
});

test('a name is text, whatever it is made of', { timeout: testMs }, async () => {
  const server = await startNode('--join-leave', '*');
  const ana = await arrive(server, 'Ana', { room: 'names' });
  const evil = '<img src=x onerror="window.struck=1">\u202e"';
  await ana.page.evaluate(
    ([port, user]) => {
      window.other = new WebSocket(`ws://127.0.0.1:${port}/ws/names?${new URLSearchParams({ user })}`);
    },
    [server.port, evil],
  );
  await tells(ana, /joined/);
  await lists(ana, 'Ana (you)', '<img src=x onerror="window.struck=1">\u202e"');
  assert.equal(await ana.page.locator('#people img, #messages img').count(), 0);
  assert.equal(await ana.page.evaluate(() => window.struck), undefined);
});

test('on a phone the count opens the list', { timeout: testMs }, async () => {
  const server = await startNode('--join-leave', '*');
  await arrive(server, 'Ana');
  const budi = await arrive(server, 'Budi', { phone: true });
  await budi.page.locator('#here', { hasText: /^2 here$/ }).click();
  await budi.page.locator('#people li', { hasText: 'Ana' }).waitFor();
  await budi.page.keyboard.press('Escape');
  await budi.say('back in the room');
});

test('behind a new name one can go on typing', { timeout: testMs }, async () => {
  const server = await startNode();
  const ana = await arrive(server, 'Ana');
  await ana.rename('Dewi');
  await ana.page.waitForFunction(() => document.activeElement.id === 'compose-text');
  await ana.page.keyboard.type('hello');
  await ana.page.keyboard.press('Enter');
  await ana.sees('hello');
  assert.equal((await ana.log())[0].name, 'Dewi');
});

test('a node that is killed and comes back has lost nothing', { timeout: testMs }, async () => {
  const redis = await startRedis(ends);
  const doomed = await startNode('--redis', redis);
  const other = await startNode('--redis', redis);
  const ana = await arrive(doomed, 'Ana', { room: 'phoenix' });
  const budi = await arrive(other, 'Budi', { room: 'phoenix' });
  await budi.say('before');
  await ana.sees('before');

  ana.serverMayBeAway = true;
  assert.equal(await doomed.stop('SIGKILL'), 'SIGKILL');
  await ana.state('reconnecting');
  for (const n of [1, 2, 3]) await budi.say(`missed ${n}`);
  await doomed.start();
  await ana.connected();
  await ana.say('after');
  await budi.sees('after');

  const lines = (await ana.lines()).filter((line) => !/ (joined|left)$/.test(line));
  const [told] = lines.splice(1, 1);
  assert.deepEqual(lines, ['before', 'missed 1', 'missed 2', 'missed 3', 'after']);
  assert.match(told, /^Connection lost for (a moment|\d+ s)\. Back: 3 messages recovered\.$/);
});

test('who is disconnected by an operator stays away until he wants back', { timeout: testMs }, async () => {
  const server = await startNode();
  const ana = await arrive(server, 'Ana');
  await server.call('disconnect', { user: 'Ana' });
  await ana.state('ended');
  assert.match(await ana.page.textContent('#banner-text'), /^The server closed the connection: .+\.$/);
  await ana.page.click('#retry');
  await ana.connected();
  await ana.say('back');
});

test('who is removed from the room by an operator can join again', { timeout: testMs }, async () => {
  const server = await startNode();
  const ana = await arrive(server, 'Ana', { room: 'club' });
  await server.call('unsubscribe', { user: 'Ana', channel: 'club' });
  await ana.state('removed');
  assert.ok(await ana.page.isDisabled('#send'));
  await ana.page.click('#retry');
  await ana.connected();
  await ana.say('back');
});
