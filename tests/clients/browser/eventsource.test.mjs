// A real browser's EventSource, with no line of ours around it: ids, lines, closes, and a node's sudden death.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { startRedis } from './redis.mjs';
import { deadlineMs, launchBrowser, Server } from './support.mjs';

const testMs = 3 * deadlineMs;
let browser;
let ends = [];

before(async () => {
  browser = await launchBrowser();
});

after(() => browser?.close());

afterEach(async () => {
  for (const end of ends.reverse()) await end();
  ends = [];
});

// What an operator has in front of his nodes, to the page the one server: passes each connection on to the first
// node that takes it.
class Balancer {
  #sockets = new Set();
  #listener = net.createServer((socket) => this.#pass(socket, [...this.nodes]));
  nodes = [];

  async start() {
    await once(this.#listener.listen(0, '127.0.0.1'), 'listening');
    this.origin = `http://127.0.0.1:${this.#listener.address().port}`;
    ends.push(() => {
      for (const socket of this.#sockets) socket.destroy();
      this.#listener.close();
    });
  }

  #pass(socket, left) {
    const node = left.shift();
    if (!node) {
      socket.destroy();
      return;
    }
    const onward = net.connect(node.port, '127.0.0.1');
    const retry = () => this.#pass(socket, left);
    onward.once('error', retry);
    onward.once('connect', () => {
      onward.off('error', retry);
      for (const [one, other] of [
        [socket, onward],
        [onward, socket],
      ]) {
        this.#sockets.add(one);
        one.on('error', () => one.destroy());
        one.on('close', () => other.destroy());
        one.pipe(other);
      }
    });
  }
}

async function startNode(options = []) {
  const node = new Server(options);
  await node.start();
  ends.push(() => node.stop('SIGTERM'));
  return node;
}

// A page with an EventSource of that path, which notes what it gets.
async function open(origin, source) {
  const page = await browser.newPage();
  ends.push(() => page.close());
  page.setDefaultTimeout(deadlineMs);
  await page.goto(origin);
  await page.evaluate((url) => {
    window.got = [];
    window.opened = 0;
    window.source = new EventSource(url);
    const note = ({ type, data, lastEventId }) => window.got.push({ type, data, id: lastEventId });
    window.source.onopen = () => (window.opened += 1);
    for (const type of ['message', 'join', 'reset', 'binary', 'close'])
      window.source.addEventListener(type, note);
  }, source);
  await page.waitForFunction(() => window.got.some(({ type }) => type === 'join'));
  return page;
}

const messages = (page) =>
  page.evaluate(() => window.got.filter(({ type }) => type === 'message').map(({ data }) => data));
const has = (page, count) =>
  page.waitForFunction(
    (wanted) => window.got.filter(({ type }) => type === 'message').length >= wanted,
    count,
  );

// Publishes in order, each when the one before has come back.
async function publish(node, room, texts) {
  const page = await browser.newPage();
  await page.goto(node.origin);
  await page.evaluate(
    ([name, all]) =>
      new Promise((resolve, reject) => {
        const left = [...all];
        const socket = new WebSocket(`ws://${location.host}/ws/${encodeURIComponent(name)}`);
        const next = () => (left.length ? socket.send(left.shift()) : socket.close());
        socket.onopen = next;
        socket.onmessage = next;
        socket.onclose = ({ code }) => (left.length ? reject(new Error(`closed: ${code}`)) : resolve());
      }),
    [room, texts],
  );
  await page.close();
}

test('a browser has the text back as it was, but for its line ends', { timeout: testMs }, async () => {
  const node = await startNode();
  const page = await open(node.origin, '/sse/kitchen');
  const said = ['dinner', '', ' is\nready\n', 'a\r\nb\rc', '\n', 'é鑼', ': no comment', 'data: x'];
  await publish(node, 'kitchen', said);
  await has(page, said.length);
  assert.deepEqual(await messages(page), said.map((text) => text.replace(/\r\n?/g, '\n')));
  const got = await page.evaluate(() => window.got);
  const [epoch] = got[0].id.split(':');
  assert.deepEqual(got.map(({ id }) => id), said.map((_, n) => `${epoch}:${n}`).concat(`${epoch}:8`));
});

test('a browser loses its node by kill -9, and no message', { timeout: testMs }, async () => {
  const redis = await startRedis(ends);
  const options = ['--redis', redis, '--allowed-origin', '*'];
  const [doomed, other] = [await startNode(options), await startNode(options)];
  const balancer = new Balancer();
  await balancer.start();
  balancer.nodes = [doomed, other];
  const one = await open(balancer.origin, '/sse/news');
  const said = Array.from({ length: 60 }, (_, n) => `news ${n}`);
  await publish(other, 'news', said.slice(0, 20));
  await has(one, 20);
  assert.equal(await doomed.stop('SIGKILL'), 'SIGKILL');
  await publish(other, 'news', said.slice(20, 40));
  await has(one, 40);
  await publish(other, 'news', said.slice(40));
  await has(one, 60);
  assert.deepEqual(await messages(one), said);
  assert.ok((await one.evaluate(() => window.opened)) >= 2, 'it came back');
  const types = await one.evaluate(() => window.got.map(({ type }) => type));
  assert.ok(!types.includes('reset') && !types.includes('close'));
});

test('a browser that has seen nothing but its place comes back from there', { timeout: testMs }, async () => {
  const redis = await startRedis(ends);
  const options = ['--redis', redis, '--allowed-origin', '*'];
  const [doomed, other] = [await startNode(options), await startNode(options)];
  const balancer = new Balancer();
  await balancer.start();
  balancer.nodes = [doomed, other];
  await publish(other, 'early', ['before']);
  const page = await open(balancer.origin, '/sse/early');
  await doomed.stop('SIGKILL');
  await publish(other, 'early', ['missed']);
  await has(page, 1);
  assert.deepEqual(await messages(page), ['missed']);
});

test('a page of another origin may read what it is allowed to', { timeout: testMs }, async () => {
  // a site of its own: the chat page may not ask other hosts for anything
  const site = http.createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>site</title>');
  });
  await once(site.listen(0, '127.0.0.1'), 'listening');
  ends.push(() => {
    site.closeAllConnections();
    site.close();
  });
  const origin = `http://127.0.0.1:${site.address().port}`;
  const node = await startNode(['--allowed-origin', `${origin},same-host`]);
  const page = await open(origin, `${node.origin}/sse/kitchen`);
  await publish(node, 'kitchen', ['one']);
  await has(page, 1);
  // the id goes along to another origin too
  await page.evaluate(() => (window.got = []));
  await node.stop('SIGKILL');
  await node.start();
  await page.waitForFunction(() => window.got.some(({ type }) => type === 'reset'));
});
