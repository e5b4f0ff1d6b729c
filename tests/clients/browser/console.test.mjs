// The console in a real browser against the real server.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Clients, consoleOf, key, Operator } from './console_support.mjs';
import { deadlineMs, launchBrowser, Server } from './support.mjs';

const testMs = 3 * deadlineMs;
const server = new Server(['--internal-key', key, '--workers', '1']);
const crowded = new Server([
  ...['--internal-key', key, '--console-payloads', 'on', '--max-connections', '4'],
  ...['--workers', '1'],
]);
let browser;
let clients;
let operators = [];

before(async () => {
  await Promise.all([server.start(), crowded.start()]);
  browser = await launchBrowser();
  clients = await Clients.arrive(browser, server);
});

after(async () => {
  await browser?.close();
  await Promise.all([server.stop('SIGTERM'), crowded.stop('SIGTERM')]);
});

afterEach(async () => {
  const complaints = operators.flatMap((operator) => operator.complaints);
  const asked = operators.flatMap((operator) => operator.requests);
  await Promise.all(operators.map((operator) => operator.context.close()));
  operators = [];
  assert.deepEqual(complaints, [], 'no page complains or asks another host for anything');
  assert.ok(!asked.some((url) => url.includes(key)), 'the key is in no URL');
});

async function arrive({ at = server, ...options } = {}) {
  const operator = await Operator.arrive(browser, at, options);
  operators.push(operator);
  return operator;
}

async function enter(options) {
  const operator = await arrive(options);
  await operator.enter();
  return operator;
}

test('the key opens it, and stays until it is forgotten', { timeout: testMs }, async () => {
  const { page } = await arrive();
  await page.fill('#key', `${key}x`);
  await page.press('#key', 'Enter');
  await page.locator('#login-problem', { hasText: 'The key is wrong.' }).waitFor();
  assert.equal(await page.locator('#console').isVisible(), false);
  await page.fill('#key', key);
  await page.press('#key', 'Enter');
  await page.locator('#node-list > li').waitFor();
  await page.reload();
  await page.locator('#node-list > li').waitFor();
  await page.click('#leave');
  await page.locator('#login').waitFor();
  await page.reload();
  await page.locator('#login').waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length + localStorage.length), 0);
});

test('shows the node and its last hour', { timeout: testMs }, async () => {
  await clients.join('lobby');
  const { page } = await enter();
  const card = page.locator('#node-list > li');
  await card.locator('.state', { hasText: /^ready$/ }).waitFor();
  const text = await card.innerText();
  assert.match(text, /this one/);
  assert.match(text, /Connections\s+\d/);
  assert.match(text, /Version\s+\d+\./);
  assert.match(await page.locator('#totals').innerText(), /Ready\s+1 of 1 node/);
  await page.locator('#graphs > li').first().waitFor();
  const labels = await page.$$eval('#graphs svg', (all) =>
    all.map((one) => one.getAttribute('aria-label')),
  );
  assert.equal(labels.length, 7);
  for (const label of labels) assert.match(label, /in the last hour: now /);
});

test('shows the busiest rooms first, and those of a pattern', { timeout: testMs }, async () => {
  for (const user of ['a', 'b', 'c']) await clients.join('kitchen', user);
  await clients.join('kitchen:oven', 'a');
  const { page } = await enter();
  const names = () => page.$$eval('#room-list bdi', (all) => all.map((one) => one.textContent));
  await page.locator('#room-list bdi', { hasText: 'kitchen' }).first().waitFor();
  assert.equal((await names())[0], 'kitchen');
  await page.fill('#pattern', '*:oven');
  await page.press('#pattern', 'Enter');
  await page.locator('#room-list bdi', { hasText: /^kitchen$/ }).waitFor({ state: 'detached' });
  assert.deepEqual(await names(), ['kitchen:oven']);
});

test('names and payloads of others are text and nothing else', { timeout: testMs }, async () => {
  const room = '<img src=x onerror=alert(1)>\u202eevil\u2066';
  const user = '<script>alert(2)</script>\u200f\u202e"\'&';
  await clients.join(room, user);
  const { page } = await enter();
  const shown = page.locator('#room-list button', { hasText: 'onerror' });
  await shown.waitFor();
  assert.equal(await shown.innerText(), '<img src=x onerror=alert(1)>⟨U+202E⟩evil⟨U+2066⟩');
  await shown.click();
  const member = page.locator('#member-list > li button.link');
  await member.waitFor();
  assert.equal(await member.innerText(), '<script>alert(2)</script>⟨U+200F⟩⟨U+202E⟩"\'&');
  await member.click();
  await page.locator('#user-sum', { hasText: '1 connection on 1 node.' }).waitFor();
  await page.locator('#user-disconnect').click();
  assert.match(await page.locator('#confirm-text').innerText(), /<script>alert\(2\)/);
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('main img, main script, #confirm img').count(), 0);
});

test('publishes what was confirmed, and shows no payload', { timeout: testMs }, async () => {
  const ann = await clients.join('board', 'ann');
  const operator = await enter();
  const { page } = operator;
  await operator.openRoom('board');
  await page.fill('#payload', '{"dinner": "is ready"}');
  await page.click('#publish-form button');
  await page.click('#confirm button[value=no]');
  await page.locator('#confirm[open]').waitFor({ state: 'detached' });
  await operator.confirm(page.locator('#publish-form button'));
  await operator.said('Published, with the offset 1.');
  await clients.hears(ann, 'is ready');
  const row = page.locator('#publication-list > li');
  await row.waitFor();
  assert.match(await row.innerText(), /#1\s*20 B|#1\s*2\d B/);
  assert.doesNotMatch(await page.locator('#room').innerText(), /dinner/);
  await page.locator('#publications-note', { hasText: '--console-payloads' }).waitFor();
});

test('shows payloads where the server may', { timeout: testMs }, async () => {
  const there = await Clients.arrive(browser, crowded);
  const ann = await there.join('board');
  await there.say(ann, 'said by \u202eann');
  await there.hears(ann, 'said by');
  const operator = await enter({ at: crowded });
  await operator.openRoom('board');
  await operator.page.locator('.payload', { hasText: 'said by ⟨U+202E⟩ann' }).waitFor();
  await there.context.close();
});

test('removes one connection, and disconnects a user', { timeout: testMs }, async () => {
  const inHall = await clients.join('hall', 'bob');
  const inHallToo = await clients.join('hall', 'eve');
  const elsewhere = await clients.join('garden', 'bob');
  const operator = await enter();
  const { page } = operator;
  await operator.openRoom('hall');
  await operator.confirm(page.getByRole('button', { name: 'Remove eve from the room' }));
  await operator.said('Removed: 1 connection on 1 node.');
  assert.equal(await clients.closed(inHallToo), 3503);
  await page.locator('#member-list > li', { hasText: 'eve' }).waitFor({ state: 'detached' });
  await operator.findUser('bob');
  await page.locator('#user-sum', { hasText: '2 connections on 1 node.' }).waitFor();
  assert.ok(await clients.isOpen(inHall));
  await operator.confirm(page.locator('#user-disconnect'));
  await operator.said('Disconnected: 2 connections on 1 node.');
  assert.equal(await clients.closed(inHall), 3503);
  assert.equal(await clients.closed(elsewhere), 3503);
  await page.locator('#user-sum', { hasText: '0 connections' }).waitFor();
});

test('all of it can be done by keyboard', { timeout: testMs }, async () => {
  const cleo = await clients.join('stairs', 'cleo');
  const { page } = await arrive();
  const focused = () => page.evaluate(() => document.activeElement.id);
  const tabTo = async (id) => {
    for (let presses = 0; (await focused()) !== id; presses += 1) {
      assert.ok(presses < 60, `Tab never comes to ${id}`);
      await page.keyboard.press('Tab');
    }
  };
  assert.equal(await focused(), 'key', 'one can type at once');
  await page.keyboard.type(key);
  await page.keyboard.press('Enter');
  await page.locator('#node-list > li').waitFor();
  await tabTo('room-name');
  await page.keyboard.type('stairs');
  await page.keyboard.press('Enter');
  await page.locator('#member-list > li').waitFor();
  assert.equal(await focused(), 'room', 'what was opened has the focus');
  await tabTo('payload');
  await page.keyboard.type('7');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('#confirm[open]').waitFor();
  assert.equal(
    await page.evaluate(() => document.activeElement.textContent),
    'Cancel',
    'what changes nothing has the focus',
  );
  await page.keyboard.press('Escape');
  await page.locator('#confirm[open]').waitFor({ state: 'detached' });
  await page.keyboard.press('Enter');
  await page.locator('#confirm[open]').waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('#outcome', { hasText: 'Published' }).waitFor();
  await tabTo('user-name');
  await page.keyboard.type('cleo');
  await page.keyboard.press('Enter');
  await page.locator('#user-sum', { hasText: '1 connection' }).waitFor();
  await tabTo('user-disconnect');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, 'solid', 'one sees where the focus is');
  await page.keyboard.press('Enter');
  await page.locator('#confirm[open]').waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await clients.closed(cleo), 3503);
});

test('a phone shows it without scrolling sideways', { timeout: testMs }, async () => {
  const room = `long-${'w'.repeat(200)}`;
  await clients.join(room, `u${'n'.repeat(200)}`);
  const operator = await arrive({ isPhone: true });
  const { page } = operator;
  const width = () => page.evaluate(() => document.scrollingElement.scrollWidth);
  assert.equal(await width(), 375);
  await operator.enter();
  await page.locator('#graphs > li').first().waitFor();
  await page.locator('#room-list button', { hasText: 'long-' }).click();
  await page.locator('#member-list > li button.link').click();
  await page.locator('#user-found').waitFor();
  assert.equal(await width(), 375);
});

test('what is near a limit is red, and says so', { timeout: testMs }, async () => {
  const there = await Clients.arrive(browser, crowded);
  const { page } = await enter({ at: crowded });
  const line = page.locator('.limits > li', { hasText: 'Connections' });
  await line.waitFor();
  assert.equal(await page.locator('.limits > li.near', { hasText: 'Connections' }).count(), 0);
  const calm = await line.evaluate((one) => getComputedStyle(one).color);
  for (let i = 0; i < 4; i += 1) await there.join('lobby');
  const near = page.locator('.limits > li.near', { hasText: '100 % (full)' });
  await near.waitFor();
  const [red, green, blue] = (await near.evaluate((one) => getComputedStyle(one).color))
    .match(/\d+/g)
    .map(Number);
  assert.ok(red > 2 * green && red > 2 * blue, 'red');
  assert.notEqual(calm, `rgb(${red}, ${green}, ${blue})`);
  await there.context.close();
});

test('says when its node does not answer, and goes on when it does', { timeout: testMs }, async () => {
  const { page, complaints } = await enter({ at: crowded });
  await page.context().setOffline(true);
  await page.locator('#banner', { hasText: 'does not answer' }).waitFor();
  await page.context().setOffline(false);
  await page.locator('#banner').waitFor({ state: 'hidden' });
  // Chromium itself reports each request that finds nobody
  complaints.splice(0, complaints.length, ...complaints.filter((one) => !/ERR_INTERNET/.test(one)));
});

test('without a key on the server there is one line', { timeout: testMs }, async () => {
  const bare = new Server(['--workers', '1']);
  await bare.start();
  try {
    for (const path of ['', '/console.js', '/api/hour']) {
      const answer = await fetch(`${consoleOf(bare)}${path}`);
      assert.equal(answer.status, 403);
      assert.equal(await answer.text(), 'the console needs --internal-key\n');
    }
  } finally {
    await bare.stop('SIGTERM');
  }
});
