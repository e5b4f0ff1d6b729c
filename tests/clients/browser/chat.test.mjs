// The chat page in a real browser against the real server.
//
//   npm ci && npm test          CANANG_BIN: the server, CHROMIUM_BIN: the browser

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { deadlineMs, launchBrowser, Person, Server } from './support.mjs';

const testMs = 3 * deadlineMs;
const server = new Server();
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
  server.assertAlive();
});

async function arrive(options) {
  const person = await Person.arrive(browser, server, options);
  people.push(person);
  return person;
}

function count(texts, text) {
  return texts.filter((other) => other === text).length;
}

test('two pages chat, and the sender sees its message once', { timeout: testMs }, async () => {
  const ana = await arrive({ name: 'Ana' });
  const budi = await arrive({ name: 'Budi' });
  const before = Date.now();
  await ana.say('Is anybody there?');
  await budi.sees('Is anybody there?');
  await budi.say('Yes, here.');
  await ana.sees('Yes, here.');

  const [question, answer] = await budi.log();
  assert.equal(question.name, 'Ana');
  assert.equal(question.mine, false);
  assert.ok(Math.abs(Date.parse(question.time) - before) < deadlineMs);
  assert.equal(answer.name, 'Budi');
  assert.equal(answer.mine, true);
  assert.deepEqual(await ana.texts(), ['Is anybody there?', 'Yes, here.']);
  assert.deepEqual(await budi.texts(), ['Is anybody there?', 'Yes, here.']);
  assert.equal(await ana.page.locator('#pending > *').count(), 0);
});

test('a page in another room sees nothing of it', { timeout: testMs }, async () => {
  const ana = await arrive({ room: 'one' });
  const budi = await arrive({ room: 'one' });
  const citra = await arrive({ room: 'other' });
  await ana.say('for room one');
  await budi.sees('for room one');
  await citra.say('for the other');
  assert.deepEqual(await citra.texts(), ['for the other']);
  assert.deepEqual(await budi.texts(), ['for room one']);
});

test('changing the hash changes the room, and the draft waits', { timeout: testMs }, async () => {
  const ana = await arrive({ room: 'first' });
  await ana.say('in the first');
  await ana.page.fill('#compose-text', 'half a sentence');
  await ana.page.evaluate(() => (location.hash = '#second'));
  await ana.page.locator('#room-name', { hasText: 'second' }).waitFor();
  await ana.connected();
  assert.deepEqual(await ana.texts(), []);
  await ana.say('in the second');
  await ana.page.goBack();
  await ana.connected();
  await ana.sees('in the first');
  assert.deepEqual(await ana.texts(), ['in the first']);
  assert.equal(await ana.page.inputValue('#compose-text'), 'half a sentence');
});

for (const room of ['Kampung Baru', 'pasar/malam?50%&x=#1', 'gong 鑼 é']) {
  test(`a room can be named ${room}`, { timeout: testMs }, async () => {
    const ana = await arrive();
    await ana.page.fill('#join-room', room);
    await ana.page.press('#join-room', 'Enter');
    await ana.page.locator('#room-name').getByText(room, { exact: true }).waitFor();
    await ana.connected();
    const budi = await arrive({ room });
    await ana.say('found it');
    await budi.sees('found it');
    assert.equal(await ana.page.title(), `${room} · Canang`);
  });
}

test('a room name that cannot be is refused in words', { timeout: testMs }, async () => {
  const ana = await arrive();
  const long = 'é'.repeat(128);
  await ana.page.evaluate((hash) => (location.hash = hash), `#${encodeURIComponent(long)}`);
  await ana.state('refused');
  assert.equal(await ana.page.textContent('#banner-text'), 'That room name is too long.');
  await ana.page.evaluate((hash) => (location.hash = hash), `#${encodeURIComponent(long.slice(1))}`);
  await ana.connected();
});

test('a page that comes late gets the history in order', { timeout: testMs }, async () => {
  const ana = await arrive({ room: 'history', name: 'Ana' });
  const said = Array.from({ length: 5 }, (_, i) => `number ${i}`);
  for (const text of said) await ana.say(text);
  const late = await arrive({ room: 'history' });
  await late.sees(said.at(-1));
  assert.deepEqual(await late.texts(), said);
  assert.ok((await late.log()).every(({ name, mine }) => name === 'Ana' && !mine));
});

test('the name and what was said are known after a reload', { timeout: testMs }, async () => {
  const ana = await arrive({ room: 'reload', name: 'Ana' });
  await ana.say('before');
  await ana.page.reload();
  await ana.connected();
  await ana.sees('before');
  assert.equal(await ana.page.textContent('#as-name'), 'Ana');
  assert.equal((await ana.log())[0].mine, true);
});

test('what other clients send is shown as it is', { timeout: testMs }, async () => {
  const ana = await arrive({ room: 'foreign' });
  await ana.sendForeign('foreign', [
    { text: 'plain words' },
    { text: '{"type":1,"body":"hi"}' },
    { text: '{"id":"x","name":"N","body":"b","at":1e300}' },
    { text: '[1,2]' },
    { text: 'null' },
    { bytes: 1234 },
  ]);
  const base64 = Buffer.alloc(1234).toString('base64');
  await ana.sees(base64);
  assert.deepEqual(await ana.texts(), [
    'plain words',
    '{"type":1,"body":"hi"}',
    '{"id":"x","name":"N","body":"b","at":1e+300}',
    '[1,2]',
    'null',
    base64,
  ]);
});

test('a message that was sent twice is shown once', { timeout: testMs }, async () => {
  const ana = await arrive({ room: 'twice' });
  const text = JSON.stringify({ id: 'i', name: 'N', body: 'once', at: 0 });
  await ana.sendForeign('twice', [{ text }, { text }, { text: 'end' }]);
  await ana.sees('end');
  assert.deepEqual(await ana.texts(), ['once', 'end']);
});

test('HTML in a name or a body stays text', { timeout: testMs }, async () => {
  const evil = '<img src=/evil.png onerror="window.struck=1"><script>window.struck=1</script>';
  const ana = await arrive({ room: 'html' });
  const budi = await arrive({ room: 'html' });
  await ana.rename('<b onclick=alert(1)>Ana</b>');
  await ana.say(evil);
  await ana.sendForeign('html', [
    { text: JSON.stringify({ id: 'e', name: evil, body: 'javascript:alert(1)', at: 0 }) },
    { text: `<svg onload="window.struck=1">` },
  ]);
  for (const person of [ana, budi]) {
    await person.sees('<svg onload="window.struck=1">');
    const log = await person.log();
    assert.equal(log[0].name, '<b onclick=alert(1)>Ana</b>');
    assert.equal(log[0].text, evil);
    assert.equal(log[1].text, 'javascript:alert(1)');
    assert.equal(await person.page.locator('#messages :is(img, script, svg, b, a)').count(), 0);
    assert.equal(await person.page.evaluate(() => window.struck), undefined);
  }
});

test('a reconnect brings what was missed and nothing twice', { timeout: testMs }, async () => {
  const ana = await arrive({ room: 'again' });
  const budi = await arrive({ room: 'again' });
  await ana.say('one');
  const base64OfThree = 'AAAA';
  await ana.sendForeign('again', [{ text: 'same' }, { text: 'same' }, { bytes: 3 }]);
  await budi.sees(base64OfThree);

  // The network of this page is gone while the others go on.
  budi.serverMayBeAway = true;
  await budi.context.setOffline(true);
  await budi.page.evaluate(() => dispatchEvent(new Event('online')));
  await budi.state('offline');
  await ana.sendForeign('again', [{ text: 'same' }]);
  await ana.say('two');
  await budi.context.setOffline(false);
  await budi.connected();
  await budi.sees('two');

  await ana.say('three');
  await budi.sees('three');
  const all = ['one', 'same', 'same', base64OfThree, 'same', 'two', 'three'];
  assert.deepEqual(await ana.texts(), all);
  assert.deepEqual(await budi.texts(), all);
});

test('who was away for more than the history is told so', { timeout: testMs }, async () => {
  const ana = await arrive({ room: 'gap' });
  const budi = await arrive({ room: 'gap' });
  await ana.say('before');
  await budi.sees('before');
  budi.serverMayBeAway = true;
  await budi.context.setOffline(true);
  await budi.page.evaluate(() => dispatchEvent(new Event('online')));
  await budi.state('offline');
  await ana.sendForeign('gap', Array.from({ length: 150 }, (_, i) => ({ text: `n${i}` })));
  await budi.context.setOffline(false);
  await budi.sees('n149');
  const last = Array.from({ length: 50 }, (_, i) => `n${100 + i}`);
  const lines = await budi.lines();
  const [note] = lines.splice(1, 1);
  assert.match(note, /^Connection lost for .+\. Some messages could not be recovered\.$/);
  assert.deepEqual(lines, ['before', ...last]);
});

for (const [signal, ending] of [['SIGKILL', 'SIGKILL'], ['SIGTERM', 0]]) {
  test(`pages come back by themselves after ${signal}`, { timeout: testMs }, async () => {
    const room = `back after ${signal}`;
    const ana = await arrive({ room, name: 'Ana' });
    const budi = await arrive({ room, name: 'Budi' });
    await ana.say('before');
    await budi.sees('before');
    await ana.page.fill('#compose-text', 'typed while it was down');

    for (const person of [ana, budi]) person.serverMayBeAway = true;
    assert.equal(await server.stop(signal), ending);
    for (const person of [ana, budi]) {
      await person.state('reconnecting');
      await person.page.locator('#state-text', { hasText: /^Reconnecting in \d+ s$/ }).waitFor();
      assert.ok(await person.page.isDisabled('#compose-text'));
      assert.ok(await person.page.isDisabled('#send'));
    }
    await server.start();
    for (const person of [ana, budi]) await person.connected();

    assert.equal(await ana.page.inputValue('#compose-text'), 'typed while it was down');
    await ana.page.press('#compose-text', 'Enter');
    await budi.sees('typed while it was down');
    await budi.say('after');
    await ana.sees('after');
    for (const person of [ana, budi]) {
      assert.deepEqual(await person.texts(), ['before', 'typed while it was down', 'after']);
    }
  });
}

test('a message that got lost on the way can be sent again', { timeout: testMs }, async () => {
  const ana = await arrive({ room: 'lost' });
  const budi = await arrive({ room: 'lost' });
  // Swallows one message as a network would that is about to break.
  await ana.page.evaluate(() => {
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function () {
      WebSocket.prototype.send = send;
    };
  });
  await ana.page.fill('#compose-text', 'hello?');
  await ana.page.press('#compose-text', 'Enter');
  await ana.page.locator('#pending .pending').waitFor();
  await ana.page.evaluate(() => dispatchEvent(new Event('online')));
  await ana.connected();
  await ana.page.locator('#pending .failed .retry').click();
  await budi.sees('hello?');
  await ana.sees('hello?');
  assert.equal(count(await ana.texts(), 'hello?'), 1);
  assert.equal(await ana.page.locator('#pending > *').count(), 0);
});

test('a reader who scrolled up is left there', { timeout: testMs }, async () => {
  const ana = await arrive({ room: 'scroll' });
  const fill = Array.from({ length: 40 }, (_, i) => ({ text: `line ${i}` }));
  await ana.sendForeign('scroll', fill);
  await ana.sees('line 39');
  const atBottom = () => {
    const log = document.getElementById('log');
    return log.scrollHeight - log.scrollTop - log.clientHeight < 2;
  };
  await ana.page.waitForFunction(atBottom);

  await ana.page.evaluate(() => (document.getElementById('log').scrollTop = 0));
  await ana.sendForeign('scroll', [{ text: 'news' }, { text: 'more news' }]);
  await ana.page.locator('#newer', { hasText: '2 new messages' }).waitFor();
  assert.equal(await ana.page.evaluate(() => document.getElementById('log').scrollTop), 0);
  await ana.page.click('#newer');
  await ana.page.waitForFunction(atBottom);
  assert.ok(await ana.page.isHidden('#newer'));
});

test('a flood leaves at most 500 messages in the page', { timeout: testMs }, async () => {
  const ana = await arrive({ room: 'flood' });
  await ana.sendForeign('flood', Array.from({ length: 700 }, (_, i) => ({ text: `n${i}` })));
  await ana.sees('n699');
  const texts = await ana.texts();
  assert.equal(texts.length, 500);
  assert.equal(texts[0], 'n200');
});

test('a phone has no horizontal scroll', { timeout: testMs }, async () => {
  const room = `a-room-${'with-a-long-name-'.repeat(6)}`;
  const ana = await arrive({ room, phone: true });
  await ana.rename('N'.repeat(40));
  await ana.say('w'.repeat(300));
  await ana.sendForeign(room, [
    { text: 'x'.repeat(300) },
    { text: JSON.stringify({ id: 'l', name: 'M'.repeat(40), body: 'y'.repeat(300), at: 0 }) },
  ]);
  await ana.sees('y'.repeat(300));
  const overflow = () =>
    ['html', '#log', '#side'].map((selector) => {
      const { scrollWidth, clientWidth } = document.querySelector(selector);
      return scrollWidth - clientWidth;
    });
  assert.deepEqual(await ana.page.evaluate(overflow), [0, 0, 0]);
  await ana.page.click('#menu');
  assert.deepEqual(await ana.page.evaluate(overflow), [0, 0, 0]);
  await ana.page.click('#close-side');
});
