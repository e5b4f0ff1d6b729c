// Parts of the console that need no page.

import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import { Api, GivenUp, isKey } from '../../../web/console/api.js';
import {
  bytes,
  drainOf,
  duration,
  limitsOf,
  lines,
  nearness,
  percent,
  plural,
  stateOf,
} from '../../../web/console/figures.js';
import { visible } from '../../../web/console/dom.js';
import { Poll } from '../../../web/console/poll.js';
import { dataOf } from '../../../web/console/room_view.js';

afterEach(() => mock.restoreAll());

test('a limit is near from 85 % on', () => {
  assert.equal(nearness(0), '');
  assert.equal(nearness(0.849), '');
  assert.equal(nearness(0.85), 'near limit');
  assert.equal(nearness(1), 'full');
  assert.equal(nearness(1.2), 'full');
  assert.equal(percent(0.999), '99 %', 'not 100 before it is full');
});

test('the state of a node is a word, with what is wrong', () => {
  assert.deepEqual(stateOf({ state: 'ready', ready: true, reason: '' }), {
    ...{ word: 'ready', kind: 'good', reason: '' },
  });
  assert.equal(stateOf({ state: 'ready' }).word, 'ready', 'an older node tells no more');
  assert.equal(stateOf({ state: 'ready', ready: false, reason: 'redis' }).word, 'not ready');
  assert.equal(stateOf({ state: 'ready', ready: false, reason: 'redis' }).reason, 'redis');
  assert.equal(stateOf({ state: 'ready', ready: true, reason: 'OOM' }).kind, 'bad');
  assert.equal(stateOf({ state: 'draining', ready: false, reason: 'draining' }).word, 'draining');
  assert.equal(stateOf({ state: 'starting', ready: false, reason: 'starting' }).kind, 'bad');
});

test('limits are those that the node tells of, in the same order always', () => {
  assert.deepEqual(limitsOf({ used: { memory: 0.5, later: 1, connections: 0.1 } }), [
    { name: 'Connections', part: 0.1 },
    { name: 'Memory', part: 0.5 },
  ]);
  assert.deepEqual(limitsOf({}), []);
});

test('a drain is as far as connections are closed', () => {
  const node = { state: 'draining', connections: 30, closed: { drain: 70, rebalance: 5 } };
  assert.deepEqual(drainOf(node), { closed: 70, all: 100 });
  assert.equal(drainOf({ ...node, state: 'ready' }), null);
  assert.equal(drainOf({ state: 'draining', connections: 1 }), null, 'an older node');
});

test('a graph has a line for each run without gaps, and ends now', () => {
  const size = { slots: 5, width: 100, height: 10 };
  assert.deepEqual(lines([], size), []);
  assert.deepEqual(lines([null, null], size), []);
  assert.deepEqual(lines([0, 4, null, 2], size), [
    [
      { x: 25, y: 10 },
      { x: 50, y: 0 },
    ],
    [{ x: 100, y: 5 }],
  ]);
  assert.deepEqual(lines([0], size), [[{ x: 100, y: 10 }]], 'nothing is no division by zero');
});

test('figures are short', () => {
  assert.equal(bytes(0), '0 B');
  assert.equal(bytes(1023), '1023 B');
  assert.equal(bytes(1536), '1.5 KiB');
  assert.equal(bytes(5 * 1024 ** 4), '5.0 TiB');
  assert.equal(duration(59.9), '59 s');
  assert.equal(duration(-3), '0 s');
  assert.equal(duration(7300), '2 h');
  assert.equal(duration(3 * 86400), '3 days');
  assert.equal(plural(1, 'node'), '1 node');
  assert.equal(plural(1200, 'node'), '1,200 nodes');
});

test('what cannot be seen is shown by its number, and long texts are cut', () => {
  assert.equal(visible('a\u202eb\u0000\u200bc\n'), 'a⟨U+202E⟩b⟨U+0000⟩⟨U+200B⟩c⟨U+000A⟩');
  assert.equal(visible('Ägypten 👋 日本'), 'Ägypten 👋 日本');
  assert.equal(visible('ann\u3164\u2800'), 'ann⟨U+3164⟩⟨U+2800⟩', 'letters without a form');
  assert.equal(visible(' a b\u00a0c '), '⟨U+0020⟩a b⟨U+00A0⟩c⟨U+0020⟩', 'not another name');
  assert.equal(visible('x'.repeat(301)), `${'x'.repeat(300)}… (1 more characters)`);
  assert.equal(visible('👋'.repeat(300)), '👋'.repeat(300));
});

test('a key is what fits into a header', () => {
  assert.ok(isKey('0123456789abcdef~!'));
  for (const wrong of ['', 'a b', '\u20ac', 'a\n']) assert.equal(isKey(wrong), false, wrong);
});

test('JSON is published as it was written, and other text as a string', () => {
  for (const json of ['12345678901234567890', ' {"a": 1.0} ', '"b"', 'null'])
    assert.equal(dataOf(json), json);
  for (const text of ['dinner', '1,"channel":"bank"', '{"a":1}}', '"'])
    assert.equal(dataOf(text), JSON.stringify(text));
});

// Has the server answer, and returns what it is asked.
function answering(text) {
  const asked = [];
  mock.method(globalThis, 'fetch', async (path, how) => {
    asked.push({ path, ...how });
    how.signal.throwIfAborted();
    return new Response(text);
  });
  return asked;
}

test('a request has the key in its header, and what is written as it is', async () => {
  const asked = answering('{"result":{"offset":1}}');
  const found = await new Api('a-key').call('publish', { channel: 'a"b' }, { data: '1e400' });
  assert.deepEqual(found, { offset: 1 });
  const [{ path, headers, body }] = asked;
  assert.equal(path, 'console/api/publish');
  assert.deepEqual(headers, { Authorization: 'Bearer a-key' });
  assert.equal(body, '{"channel":"a\\"b","data":1e400}');
});

test('large numbers are shown as they were written', { skip: !JSON.rawJSON }, async () => {
  answering('{"result":{"data":[12345678901234567890,7,1.5]}}');
  const { data } = await new Api('a-key').call('history', {});
  assert.equal(JSON.stringify(data), '[12345678901234567890,7,1.5]');
  assert.equal(data[1] + data[2], 8.5);
});

test('nothing is asked with a key that is forgotten', async () => {
  answering('{}');
  const api = new Api('a-key');
  api.close();
  await assert.rejects(api.nodes(), GivenUp);
});

test('a poll asks once at a time, and not any more when it is over', async () => {
  globalThis.document = { hidden: false };
  let pending = null; // what the timer calls
  mock.method(globalThis, 'setTimeout', (task) => (pending = task));
  const answers = [];
  const poll = new Poll(() => new Promise((resolve) => answers.push(resolve)), 1000);
  const running = poll.run();
  poll.run();
  poll.run();
  assert.equal(answers.length, 1);
  answers[0]();
  await running;
  const again = pending();
  assert.equal(answers.length, 2, 'again after a pause');
  pending = null;
  poll.end();
  answers[1]();
  await again;
  assert.equal(pending, null);
  poll.run();
  assert.equal(answers.length, 2);
  delete globalThis.document;
});
