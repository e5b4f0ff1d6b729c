// The chat page behind a proxy that changes Host, as many do that are not told otherwise.

import { once } from 'node:events';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { deadlineMs, launchBrowser, Person, Server } from './support.mjs';

const testMs = 3 * deadlineMs;
let browser;

// Passes on everything but Host. To the page it is the server.
class Proxy {
  #sockets = new Set();
  #listener = http.createServer((request, response) => this.#pass(request, response));

  get port() {
    return this.#listener.address().port;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  async start() {
    this.#listener.on('upgrade', (request, socket) => this.#upgrade(request, socket));
    await once(this.#listener.listen(0, '127.0.0.1'), 'listening');
  }

  to(server) {
    this.target = server;
  }

  #ask({ method, url, headers }) {
    const changed = { ...headers, host: 'node-7.internal:8000' };
    const { port } = this.target;
    return http.request({ host: '127.0.0.1', port, method, path: url, headers: changed });
  }

  #pass(request, response) {
    const onward = this.#ask(request);
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.end();
  }

  #upgrade(request, socket) {
    const onward = this.#ask(request);
    onward.on('upgrade', (answer, other, firstBytes) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
      socket.write(firstBytes);
      for (const end of [socket, other]) {
        this.#sockets.add(end);
        end.on('error', () => end.destroy());
      }
      socket.pipe(other).pipe(socket);
    });
    onward.on('response', (answer) => {
      socket.end(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nConnection: close\r\n\r\n`);
      answer.resume();
    });
    onward.end();
  }

  stop() {
    for (const socket of this.#sockets) socket.destroy();
    this.#listener.closeAllConnections();
    this.#listener.close();
  }
}

before(async () => {
  browser = await launchBrowser();
});

after(() => browser?.close());

async function behindAProxy(optionsOf, visit) {
  const proxy = new Proxy();
  await proxy.start();
  const server = new Server(optionsOf(proxy));
  try {
    await server.start();
    proxy.to(server);
    await visit(proxy);
  } finally {
    proxy.stop();
    await server.stop('SIGTERM');
  }
}

test('the page connects when the server was told its origin', { timeout: testMs }, () =>
  behindAProxy(
    (proxy) => ['--allowed-origin', proxy.origin],
    async (proxy) => {
      const ana = await Person.arrive(browser, proxy, { name: 'Ana' });
      await ana.say('Through the proxy.');
      await ana.context.close();
    },
  ));

test('the page is refused when the server only knows the changed host', { timeout: testMs }, () =>
  behindAProxy(
    () => [],
    async (proxy) => {
      const page = await browser.newPage();
      await page.goto(proxy.origin);
      await page.locator('#app[data-state="reconnecting"]').waitFor({ state: 'attached' });
      await page.close();
    },
  ));
