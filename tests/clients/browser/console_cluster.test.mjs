// The console of a cluster: what one node shows of another. Also makes the pictures of docs/console.md, where it is
// told to; their graphs need some minutes to have something to show.
//
//   CONSOLE_SCREENSHOTS=DIRECTORY   CONSOLE_SCREENSHOTS_AFTER_S: how long (300)

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Clients, key, Operator } from './console_support.mjs';
import { startRedis } from './redis.mjs';
import { deadlineMs, launchBrowser, Server } from './support.mjs';

const testMs = 4 * deadlineMs;
const pictures = process.env.CONSOLE_SCREENSHOTS ?? '';
const pictureMs = Number(process.env.CONSOLE_SCREENSHOTS_AFTER_S ?? 300) * 1000;
const ends = [];
let browser;
let own;
let other;

async function startNode(redis, options) {
  const node = new Server([
    ...['--internal-key', key, '--redis', redis, '--workers', '1'],
    ...options,
  ]);
  await node.start();
  ends.push(() => node.stop('SIGTERM'));
  return node;
}

before(async () => {
  const redis = await startRedis(ends);
  browser = await launchBrowser();
  ends.push(() => browser.close());
  own = await startNode(redis, ['--console-payloads', 'on', '--max-connections', '60']);
  other = await startNode(redis, ['--drain-grace', '30s', '--rebalance-after', '0s']);
});

after(async () => {
  for (const end of ends.reverse()) await end();
});

// Also those of a test that fails: the next one counts connections.
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));

// Several people in several rooms, who talk.
async function fill(clients, people) {
  const rooms = 'kitchen kitchen garden chat:lobby kitchen garden kitchen orders'.split(' ');
  for (let i = 0; i < people; i += 1) {
    const number = await clients.join(rooms[i % rooms.length], `user${i % 40}`);
    await clients.talk(number, 400 + 70 * (i % 20));
  }
}

test('the pictures of the manual', { skip: !pictures, timeout: pictureMs + testMs }, async () => {
  const here = await Clients.arrive(browser, own);
  await fill(here, 53);
  await fill(await Clients.arrive(browser, other), 24);
  await pause(pictureMs);
  const picture = (page, name, how) =>
    page.screenshot({ path: path.join(pictures, `console-${name}.png`), ...how });
  const operator = await Operator.arrive(browser, own);
  const { page } = operator;
  await page.setViewportSize({ width: 960, height: 700 });
  await operator.enter();
  await page.locator('.card', { hasText: 'near limit' }).waitFor();
  await page.locator('#room-list button').first().waitFor();
  await picture(page, 'nodes');
  await operator.openRoom('orders');
  await page.locator('#publication-list > li').first().waitFor();
  await page.locator('#room').screenshot({ path: path.join(pictures, 'console-room.png') });
  const onPhone = await Operator.arrive(browser, own, { isPhone: true, scheme: 'dark' });
  await onPhone.enter();
  await onPhone.page.locator('.card', { hasText: 'near limit' }).waitFor();
  await picture(onPhone.page, 'phone');
  assert.deepEqual([...operator.complaints, ...onPhone.complaints], []);
});

test('shows all nodes, and a user on each of them', { timeout: testMs }, async () => {
  const here = await Clients.arrive(browser, own);
  const there = await Clients.arrive(browser, other);
  await here.join('kitchen', 'ann');
  const away = [await there.join('kitchen', 'ann'), await there.join('hall', 'ann')];
  const operator = await Operator.arrive(browser, own);
  const { page } = operator;
  await operator.enter();
  await page.locator('#totals', { hasText: '2 of 2 nodes' }).waitFor();
  await operator.findUser('ann');
  await page.locator('#user-sum', { hasText: '3 connections on 2 nodes.' }).waitFor();
  await operator.openRoom('kitchen');
  const nodes = page.locator('#room-figures dt', { hasText: 'on ' });
  await nodes.nth(1).waitFor(); // once the room is shown its figures are asked for
  assert.equal(await nodes.count(), 2);
  await operator.confirm(page.locator('#user-disconnect'));
  await operator.said('Disconnected: 3 connections on 2 nodes.');
  for (const number of away) assert.equal(await there.closed(number), 3503);
  assert.deepEqual(operator.complaints, []);
});

test('shows a drain, and how far it is', { timeout: testMs }, async () => {
  const there = await Clients.arrive(browser, other);
  await there.join('kitchen', 'ann');
  const operator = await Operator.arrive(browser, own);
  const { page } = operator;
  await operator.enter();
  const ordered = await fetch(`http://127.0.0.1:${other.internalPort}/drain`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}` },
  });
  assert.equal(ordered.status, 202);
  const card = page.locator('.card', { hasText: 'draining' });
  await card.waitFor();
  await card.getByText('0 of 1 connection closed').waitFor();
  await page.locator('#totals', { hasText: '1 of 2 nodes' }).waitFor();
  assert.deepEqual(operator.complaints, []);
});
