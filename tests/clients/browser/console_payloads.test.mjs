// What the console publishes, and shows of it, is what was written.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Clients, key, Operator } from './console_support.mjs';
import { deadlineMs, launchBrowser, Server } from './support.mjs';

const testMs = 3 * deadlineMs;
const server = new Server(['--internal-key', key, '--console-payloads', 'on', '--workers', '1']);
let browser;
let clients;
let operator;

before(async () => {
  await server.start();
  browser = await launchBrowser();
  clients = await Clients.arrive(browser, server);
  operator = await Operator.arrive(browser, server);
  await operator.enter();
});

after(async () => {
  await browser?.close();
  await server.stop('SIGTERM');
  assert.deepEqual(operator.complaints, []);
});

async function publish(text) {
  await operator.page.fill('#payload', text);
  await operator.confirm(operator.page.locator('#publish-form button'));
  await operator.said('Published');
}

test('numbers keep all their digits', { timeout: testMs }, async () => {
  const ann = await clients.join('bank', 'ann');
  await operator.openRoom('bank');
  await publish('{"account": 12345678901234567890}');
  await clients.hears(ann, '12345678901234567890');
  const shown = operator.page.locator('.payload', { hasText: '12345678901234567890' });
  await shown.waitFor();
  assert.equal(await shown.innerText(), '{"account":12345678901234567890}');
});
