// How long the console uses a key, and what is left of it when it is forgotten.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Clients, key, Operator } from './console_support.mjs';
import { deadlineMs, launchBrowser, Server } from './support.mjs';

const testMs = 3 * deadlineMs;
const server = new Server(['--internal-key', key, '--workers', '1']);
let browser;
let clients;
let operators = [];

before(async () => {
  await server.start();
  browser = await launchBrowser();
  clients = await Clients.arrive(browser, server);
});

after(async () => {
  await browser?.close();
  await server.stop('SIGTERM');
});

afterEach(async () => {
  await Promise.all(operators.map((operator) => operator.context.close()));
  const complaints = operators.flatMap((operator) => operator.complaints);
  operators = [];
  assert.deepEqual(complaints, []);
});

async function arrive() {
  const operator = await Operator.arrive(browser, server);
  operators.push(operator);
  return operator;
}

async function enter() {
  const operator = await arrive();
  await operator.enter();
  return operator;
}

// Lets questions of that path wait. Resolves with what lets them go on.
async function hold(page, path) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route(`**/console/api/${path}`, async (route) => {
    await released;
    await route.continue().catch(() => {}); // the page may have given it up
  });
  return release;
}

test('nothing that was shown outlives the key', { timeout: testMs }, async () => {
  await clients.join('vault', 'ann');
  const operator = await enter();
  const { page } = operator;
  await operator.openRoom('vault');
  await page.locator('#member-list > li').waitFor();
  await operator.findUser('ann');
  await page.fill('#payload', 'not said yet');
  await page.click('#leave');
  await page.locator('#login').waitFor();
  const left = await page.evaluate(() => document.getElementById('console').textContent);
  assert.doesNotMatch(left, /vault|ann/);
  assert.equal(await page.inputValue('#payload'), '');
  await operator.enter();
  assert.equal(await page.locator('#room').isVisible(), false, 'no room is open');
  assert.equal(await page.locator('#user-found').isVisible(), false, 'nobody was looked for');
});

test('an answer that comes behind the key is not shown', { timeout: testMs }, async () => {
  await clients.join('vault', 'ann');
  const operator = await enter();
  const { page } = operator;
  const release = await hold(page, 'room');
  await page.fill('#room-name', 'vault');
  const asked = page.waitForRequest('**/console/api/room');
  await page.press('#room-name', 'Enter');
  const request = await asked;
  await page.click('#leave');
  await page.locator('#login').waitFor();
  release();
  assert.ok(request.failure() ?? (await page.waitForEvent('requestfailed', { timeout: deadlineMs })));
  assert.equal(await page.locator('#member-list > li').count(), 0);
});

test('a key that is given twice at once is used once', { timeout: testMs }, async () => {
  const { page } = await arrive();
  const release = await hold(page, 'nodes');
  await page.fill('#key', key);
  await page.press('#key', 'Enter');
  await page.press('#key', 'Enter');
  release();
  await page.locator('#node-list > li').waitFor();
  await page.locator('#graphs > li').first().waitFor();
  await page.click('#leave');
  await page.locator('#login').waitFor();
  // longer than the nodes are asked for again
  const more = page.waitForRequest('**/console/api/**', { timeout: 7_000 }).catch(() => null);
  assert.equal(await more, null, 'nobody asks with a key that was forgotten');
});

test('what can be no key is a wrong one', { timeout: testMs }, async () => {
  const { page } = await arrive();
  await page.fill('#key', '\u20ac'.repeat(16));
  await page.press('#key', 'Enter');
  await page.locator('#login-problem', { hasText: 'The key is wrong.' }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test('who comes back to the page while it asks has it ask once', { timeout: testMs }, async () => {
  const { page } = await enter();
  let asked = 0;
  const release = await hold(page, 'hour');
  page.on('request', (request) => (asked += request.url().endsWith('/api/hour') ? 1 : 0));
  const seen = () => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await page.locator('#graphs > li').first().waitFor();
  const first = page.waitForRequest('**/console/api/hour');
  await seen();
  await first;
  for (let times = 0; times < 5; times += 1) await seen();
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
  assert.equal(asked, 1);
  release();
});
