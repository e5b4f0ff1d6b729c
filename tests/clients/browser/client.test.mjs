// The chat page's client of Centrifugo's protocol (web/client.js), without a browser, against a socket
// that says what a test wants. What it does with a real server: tests/clients/sdk.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { backoffMs } from '../../../web/backoff.js';
import { Client } from '../../../web/client.js';

const delays = { firstDelayMs: 1, maxDelayMs: 5 };
const deadlineMs = 5000;
let clients = [];

// A client that goes on keeps the process alive, also behind a test that failed.
afterEach(() => {
  for (const client of clients) client.disconnect();
  clients = [];
});

function makeClient(on, options) {
  const client = new Client(() => 'ws://here', on, { ...delays, ...options });
  clients.push(client);
  return client;
}

// Stands in for the WebSocket of a client. Each test has a class of its own.
function fakeSockets() {
  return class FakeSocket {
    static all = [];
    static get last() {
      return FakeSocket.all.at(-1);
    }

    sent = []; // messages
    isClosed = false;

    constructor(url) {
      this.url = url;
      FakeSocket.all.push(this);
    }

    send(message) {
      this.sent.push(message);
    }

    close() {
      this.isClosed = true;
    }

    // ---- the server's side

    get commands() {
      return this.sent.flatMap((message) => message.split('\n')).map((line) => JSON.parse(line));
    }

    // The last command of that name.
    command(name) {
      return this.commands.findLast((command) => name in command);
    }

    say(...replies) {
      this.onmessage({ data: replies.map((reply) => JSON.stringify(reply)).join('\n') });
    }

    answer(name, result = {}) {
      this.say({ id: this.command(name).id, [name]: result });
    }

    fail(name, code, temporary) {
      this.say({ id: this.command(name).id, error: { code, message: `error ${code}`, temporary } });
    }

    async open(result = {}) {
      this.onopen();
      await until(() => this.command('connect'), 'it connects');
      this.answer('connect', { client: 'n/1', ping: 25, pong: true, ...result });
    }

    die(code = 1006, reason = '') {
      this.onclose({ code, reason });
    }
  };
}

async function until(condition, what) {
  const end = Date.now() + deadlineMs;
  for (let seen = condition(); ; seen = condition()) {
    if (seen) return seen;
    assert.ok(Date.now() < end, `not in ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

// What a client or a subscription was told, as [name, what].
function listener(told, ...names) {
  return Object.fromEntries(names.map((name) => [name, (what) => told.push([name, what])]));
}

// A client that is connected, and what it was told.
async function connected(options = {}, result = {}) {
  const Socket = fakeSockets();
  const told = [];
  const on = listener(told, 'connecting', 'connected', 'disconnected');
  const client = makeClient(on, { WebSocket: Socket, ...options });
  client.connect();
  await Socket.last.open(result);
  return { client, Socket, told, codes: () => told.map(([name, { code }]) => [name, code]) };
}

async function inRoom(options = {}) {
  const all = await connected();
  const { client, Socket } = all;
  const events = [];
  const on = listener(events, 'subscribing', 'subscribed', 'unsubscribed', 'publication', 'join', 'leave');
  const subscription = client.room('room', on, { ...delays, ...options });
  subscription.subscribe();
  await until(() => Socket.last.command('subscribe'), 'it subscribes');
  const names = () => events.map(([name]) => name);
  return { ...all, subscription, events, names };
}

test('it connects, and answers a ping', async () => {
  const { client, Socket, told } = await connected();
  assert.equal(Socket.last.url, 'ws://here');
  assert.equal(client.state, 'connected');
  assert.deepEqual(told.at(-1), ['connected', { client: 'n/1' }]);
  const before = Socket.last.sent.length;
  Socket.last.say({});
  await until(() => Socket.last.sent.length > before, 'it answers');
  assert.equal(Socket.last.sent.at(-1), '{}');
});

test('it does not answer pings that want none', async () => {
  const { client, Socket } = await connected({}, { pong: false });
  Socket.last.say({});
  client.publish('room', 1).catch(() => {});
  await until(() => Socket.last.command('publish'), 'it publishes');
  assert.ok(Socket.last.commands.every((command) => Object.keys(command).length > 0));
});

test('a server whose pings no longer come is given up', async () => {
  const { client, Socket, codes } = await connected({ pingDelayMs: 30 }, { ping: 0.03 });
  const began = Date.now();
  await until(() => Socket.all.length === 2, 'it opens another connection');
  assert.ok(Date.now() - began >= 55, 'not before the ping is late');
  assert.ok(Socket.all[0].isClosed);
  assert.deepEqual(codes().at(-1), ['connecting', 2]);
});

test('any message of the server puts that off', async () => {
  const { client, Socket } = await connected({ pingDelayMs: 60 }, { ping: 0.06 });
  for (const end = Date.now() + 400; Date.now() < end; ) {
    Socket.last.say({ push: { channel: 'none', pub: { data: 1 } } });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.equal(Socket.all.length, 1);
});

test('commands of one task go in one message, and their replies come in one', async () => {
  const { client, Socket } = await connected();
  const before = Socket.last.sent.length;
  const all = Promise.all([1, 2, 3].map((data) => client.publish('room', data)));
  await until(() => Socket.last.sent.length > before, 'it sends');
  assert.equal(Socket.last.sent.length, before + 1);
  const commands = Socket.last.commands.slice(-3);
  assert.deepEqual(
    commands.map(({ publish }) => publish),
    [1, 2, 3].map((data) => ({ channel: 'room', data })),
  );
  Socket.last.say(...commands.map(({ id }) => ({ id, publish: {} })));
  assert.equal((await all).length, 3);
});

test('a batch stays below what the server takes in one message', async () => {
  const { client, Socket } = await connected();
  const before = Socket.last.sent.length;
  const text = 'x'.repeat(5000);
  for (let n = 0; n < 10; n += 1) client.publish('room', text).catch(() => {});
  await until(() => Socket.last.commands.length === 11, 'all are sent');
  const sent = Socket.last.sent.slice(before);
  assert.ok(sent.length > 1 && sent.length < 10);
  assert.ok(sent.every(({ length }) => length < 48_000 / 3));
});

test('commands without a reply are bounded', async () => {
  const { client } = await connected();
  const failures = [];
  const all = Array.from({ length: 5000 }, (_, n) =>
    client.publish('room', n).catch(({ message }) => failures.push(message)),
  );
  await Promise.resolve();
  client.disconnect();
  await Promise.all(all);
  assert.equal(failures.filter((message) => /too many/.test(message)).length, 5000 - 4096);
});

test('a command fails with what the server says, or with the connection', async () => {
  const { client, Socket } = await connected();
  const refused = client.publish('room', 1);
  await until(() => Socket.last.command('publish'), 'it publishes');
  Socket.last.fail('publish', 103);
  await assert.rejects(refused, { code: 103, mayPass: false });
  const lost = client.call('presence', { channel: 'room' });
  Socket.last.die();
  await assert.rejects(lost, { code: 1, mayPass: true });
  await assert.rejects(client.publish('room', 2), { code: 1 }, 'nor is one taken without a connection');
});

for (const code of [1009, 3500, 3503, 3999, 4500, 4999]) {
  test(`a close with ${code} is for good`, async () => {
    const { client, Socket, codes } = await connected();
    Socket.last.die(code, 'why');
    assert.equal(client.state, 'disconnected');
    assert.deepEqual(codes().at(-1), ['disconnected', code]);
    assert.equal(Socket.all.length, 1);
  });
}

for (const [code, told] of [[1000, 1], [1006, 1], [1012, 1], [3001, 3001], [3499, 3499], [4000, 4000], [4499, 4499]]) {
  test(`after a close with ${code} it comes back`, async () => {
    const { client, Socket, codes } = await connected();
    Socket.last.die(code, 'why');
    assert.deepEqual(codes().at(-1), ['connecting', told]);
    await until(() => Socket.all.length === 2, 'it opens another connection');
    await Socket.last.open();
    assert.equal(client.state, 'connected');
  });
}

for (const [code, state] of [[3001, 'connecting'], [3503, 'disconnected']]) {
  test(`a disconnect that is pushed, with ${code}, counts as a close`, async () => {
    const { client, Socket } = await connected();
    Socket.last.say({ push: { disconnect: { code, reason: 'why' } } });
    assert.equal(client.state, state);
    assert.ok(Socket.all[0].isClosed);
  });
}

test('a server that refuses the connect for good is left alone', async () => {
  const Socket = fakeSockets();
  const told = [];
  const on = listener(told, 'connecting', 'disconnected');
  const client = makeClient(on, { WebSocket: Socket });
  client.connect();
  Socket.last.onopen();
  await until(() => Socket.last.command('connect'), 'it connects');
  Socket.last.fail('connect', 100, true);
  await until(() => Socket.all.length === 2, 'it tries again after what may pass');
  Socket.last.onopen();
  await until(() => Socket.last.command('connect'), 'it connects');
  Socket.last.fail('connect', 101);
  assert.equal(client.state, 'disconnected');
  assert.deepEqual(told.map(([name]) => name), ['connecting', 'disconnected']);
});

for (const data of ['{', 'null', '"text"', '5', new ArrayBuffer(3)]) {
  test(`a message that makes no sense ends the connection: ${data}`, async () => {
    const { client, Socket } = await connected();
    Socket.last.onmessage({ data });
    assert.equal(client.state, 'connecting');
    await until(() => Socket.all.length === 2, 'it opens another connection');
  });
}

test('what makes no sense but may come is left out', async () => {
  const { client, Socket } = await connected();
  Socket.last.say({ id: 999, publish: {} }, { push: {} }, { push: { channel: 'other', pub: {} } });
  assert.equal(client.state, 'connected');
});

test('nothing of an old connection counts', async () => {
  const { client, Socket } = await connected();
  const [old] = Socket.all;
  old.die();
  await until(() => Socket.all.length === 2, 'it opens another connection');
  assert.deepEqual([old.onopen, old.onmessage, old.onclose], [null, null, null]);
  client.reconnect();
  assert.equal(Socket.all.length, 3);
  assert.ok(Socket.all[1].isClosed, 'not two at once');
});

test('nothing of the same message counts behind its end', async () => {
  const { client, Socket } = await connected();
  Socket.last.say({ push: { disconnect: { code: 3001, reason: 'why' } } }, {}, { id: 99 });
  assert.equal(client.state, 'connecting');
  assert.ok(!Socket.all[0].sent.includes('{}'), 'a ping behind it is not answered');
  await until(() => Socket.all.length === 2, 'it opens another connection');
});

test('who does not wait for the next attempt has one, not two', async () => {
  const { client, Socket } = await connected({ firstDelayMs: 20, maxDelayMs: 20 });
  Socket.last.die();
  client.reconnect();
  assert.equal(Socket.all.length, 2);
  const end = Date.now() + 60; // longer than the wait that it cut short
  await until(() => Date.now() > end, 'the wait is over');
  assert.equal(Socket.all.length, 2);
});

test('the backoff doubles from half a second to 15 s, with full jitter', () => {
  const attempts = [0, 1, 2, 3, 4, 5, 50];
  const waits = (random) => attempts.map((attempt) => backoffMs(attempt, { random: () => random }));
  assert.deepEqual(waits(0), [0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(waits(1), [500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
});

// ---- rooms

test('a room tells what it was told, in the order of the wire', async () => {
  const { client, Socket, subscription, events } = await inRoom({ recoverable: true, joinLeave: true });
  const { id, subscribe } = Socket.last.command('subscribe');
  assert.deepEqual(subscribe, { channel: 'room', recoverable: true, join_leave: true });
  const info = { user: 'ana', client: 'n/2' };
  const push = (content) => ({ push: { channel: 'room', ...content } });
  Socket.last.say(
    { id, subscribe: { epoch: 'e', offset: 7, recoverable: true, positioned: true } },
    push({ pub: { data: 'a', offset: 8 } }),
    push({ join: { info } }),
    push({ pub: { data: 'b' } }),
    push({ leave: { info } }),
  );
  assert.equal(subscription.state, 'subscribed');
  assert.deepEqual(events.slice(1), [
    ['subscribed', { wasRecovering: false, recovered: false, epoch: 'e', offset: 7, publications: [] }],
    ['publication', { data: 'a', offset: 8 }],
    ['join', info],
    ['publication', { data: 'b' }],
    ['leave', info],
  ]);
});

test('after a loss it recovers from the last publication', async () => {
  const { client, Socket, events } = await inRoom({ recoverable: true });
  Socket.last.answer('subscribe', { epoch: 'e', offset: 7, recoverable: true });
  Socket.last.say({ push: { channel: 'room', pub: { data: 'a', offset: 8 } } });
  Socket.last.die();
  await until(() => Socket.all.length === 2, 'it opens another connection');
  await Socket.last.open();
  await until(() => Socket.last.command('subscribe'), 'it subscribes');
  const { recover, epoch, offset } = Socket.last.command('subscribe').subscribe;
  assert.deepEqual([recover, epoch, offset], [true, 'e', 8]);
  const publications = [{ data: 'b', offset: 9 }, { data: 'c', offset: 11 }];
  const result = { epoch: 'e', offset: 12, recoverable: true, was_recovering: true, recovered: true };
  Socket.last.answer('subscribe', { ...result, publications });
  assert.deepEqual(events.slice(-3), [
    ['subscribed', { wasRecovering: true, recovered: true, epoch: 'e', offset: 12, publications }],
    ...publications.map((publication) => ['publication', publication]),
  ]);
  Socket.last.die();
  await until(() => Socket.all.length === 3, 'it opens another connection');
  await Socket.last.open();
  await until(() => Socket.last.command('subscribe'), 'it subscribes');
  assert.equal(Socket.last.command('subscribe').subscribe.offset, 12, 'joins have places too');
});

test('where the room cannot be recovered it does not ask for that', async () => {
  const { client, Socket } = await inRoom({ recoverable: true });
  Socket.last.answer('subscribe', { epoch: 'e', offset: 7 });
  Socket.last.die();
  await until(() => Socket.all.length === 2, 'it opens another connection');
  await Socket.last.open();
  await until(() => Socket.last.command('subscribe'), 'it subscribes');
  assert.equal(Socket.last.command('subscribe').subscribe.recover, undefined);
});

for (const code of [2500, 2501, 2999]) {
  test(`unsubscribed with ${code} it subscribes again, from where it was`, async () => {
    const { client, Socket, names } = await inRoom({ recoverable: true });
    Socket.last.answer('subscribe', { epoch: 'e', offset: 7, recoverable: true });
    const { id } = Socket.last.command('subscribe');
    Socket.last.say({ push: { channel: 'room', unsubscribe: { code, reason: 'why' } } });
    await until(() => Socket.last.command('subscribe').id !== id, 'it subscribes again');
    assert.equal(Socket.last.command('subscribe').subscribe.offset, 7);
    assert.deepEqual(names(), ['subscribing', 'subscribed', 'subscribing']);
    assert.equal(Socket.all.length, 1);
  });
}

for (const code of [2000, 2499]) {
  test(`unsubscribed with ${code} it stays out`, async () => {
    const { client, Socket, subscription, events } = await inRoom({ recoverable: true });
    Socket.last.answer('subscribe', { epoch: 'e', offset: 7, recoverable: true });
    Socket.last.say({ push: { channel: 'room', unsubscribe: { code, reason: 'why' } } });
    assert.deepEqual(events.at(-1), ['unsubscribed', { code, reason: 'why' }]);
    Socket.last.say({ push: { channel: 'room', pub: { data: 'late', offset: 8 } } });
    assert.deepEqual(events.at(-1)[0], 'unsubscribed', 'nothing more of the room');
    Socket.last.die();
    await until(() => Socket.all.length === 2, 'it opens another connection');
    await Socket.last.open();
    assert.equal(subscription.state, 'unsubscribed');
    client.publish('other', 1).catch(() => {});
    await until(() => Socket.last.command('publish'), 'it publishes');
    assert.equal(Socket.last.command('subscribe'), undefined);
  });
}

test('a room that refuses what may pass is asked again, and one that refuses for good is not', async () => {
  const { client, Socket, events } = await inRoom();
  const { id } = Socket.last.command('subscribe');
  Socket.last.fail('subscribe', 111, true);
  await until(() => Socket.last.command('subscribe').id !== id, 'it subscribes again');
  Socket.last.fail('subscribe', 103);
  assert.deepEqual(events.at(-1), ['unsubscribed', { code: 103, reason: 'error 103' }]);
  assert.equal(Socket.all.length, 1);
});

test('a reply to a subscribe that was taken back does not count', async () => {
  const { client, Socket, subscription, names } = await inRoom();
  const { id } = Socket.last.command('subscribe');
  subscription.unsubscribe();
  subscription.subscribe();
  await until(() => Socket.last.command('subscribe').id !== id, 'it subscribes again');
  Socket.last.say({ id, subscribe: { epoch: 'e', offset: 1 } });
  assert.equal(subscription.state, 'subscribing');
  Socket.last.answer('unsubscribe');
  Socket.last.answer('subscribe', { epoch: 'e', offset: 1 });
  assert.deepEqual(names(), ['subscribing', 'unsubscribed', 'subscribing', 'subscribed']);
});
