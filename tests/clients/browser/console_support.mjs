// The console in a browser, and clients for it to look at.

import assert from 'node:assert/strict';
import { deadlineMs } from './support.mjs';

export const key = 'an-operators-key-of-a-test';
const phone = { viewport: { width: 375, height: 740 }, isMobile: true, hasTouch: true };
const desk = { viewport: { width: 1280, height: 900 } };

export function consoleOf(server) {
  return `http://127.0.0.1:${server.internalPort}/console`;
}

// The page of one operator. What no page may do is among its complaints.
export class Operator {
  complaints = [];
  requests = []; // URLs

  static async arrive(browser, server, { isPhone = false, scheme = 'light' } = {}) {
    const operator = new Operator();
    operator.server = server;
    operator.context = await browser.newContext({
      ...(isPhone ? phone : desk),
      colorScheme: scheme,
    });
    operator.context.setDefaultTimeout(deadlineMs);
    operator.page = await operator.context.newPage();
    operator.#watch();
    const answer = await operator.page.goto(consoleOf(server));
    assert.equal(answer.status(), 200);
    await operator.page.locator('#key').waitFor();
    return operator;
  }

  #watch() {
    const complain = (what) => this.complaints.push(what);
    const { host } = new URL(consoleOf(this.server));
    this.page.on('request', (request) => {
      this.requests.push(request.url());
      if (new URL(request.url()).host !== host) complain(`request to ${request.url()}`);
    });
    this.page.on('dialog', (dialog) => {
      complain(`dialog: ${dialog.message()}`);
      return dialog.dismiss();
    });
    this.page.on('pageerror', (error) => complain(`exception: ${error.stack}`));
    this.page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      // Chromium itself reports each answer of 401; a page cannot prevent that
      if (/the server responded with a status of 401/.test(message.text())) return;
      complain(`console: ${message.text()}`);
    });
  }

  async enter() {
    await this.page.fill('#key', key);
    await this.page.press('#key', 'Enter');
    await this.page.locator('#node-list > li').first().waitFor();
  }

  async openRoom(room) {
    await this.page.fill('#room-name', room);
    await this.page.press('#room-name', 'Enter');
    await this.page.locator('#room').waitFor();
  }

  async findUser(user) {
    await this.page.fill('#user-name', user);
    await this.page.press('#user-name', 'Enter');
    await this.page.locator('#user-found').waitFor();
  }

  // Asks for something that is to be confirmed, and does so.
  async confirm(button) {
    await button.click();
    await this.page.locator('#confirm[open]').waitFor();
    await this.page.click('#confirm-yes');
    await this.page.locator('#confirm[open]').waitFor({ state: 'detached' });
  }

  said(text) {
    return this.page.locator('#outcome', { hasText: text }).waitFor();
  }
}

// Plain clients of a server, in a page of the same origin as its public port.
export class Clients {
  #page;

  static async arrive(browser, server) {
    const clients = new Clients();
    const context = await browser.newContext();
    clients.context = context;
    clients.server = server;
    clients.#page = await context.newPage();
    await clients.#page.goto(`${server.origin}/favicon.svg`);
    return clients;
  }

  // Returns its number, when it is a member.
  join(room, user = '') {
    const query = `?meta=true${user && `&user=${encodeURIComponent(user)}`}`;
    return this.#page.evaluate(
      (url) =>
        new Promise((resolve, reject) => {
          const all = (globalThis.clients ??= []);
          const socket = new WebSocket(url);
          const client = { got: [], closed: null, socket };
          socket.onerror = () => reject(new Error(`no connection to ${url}`));
          socket.onclose = ({ code }) => (client.closed = code);
          socket.onmessage = ({ data }) => {
            client.got.push(data);
            if (client.got.length === 1) resolve(all.push(client) - 1);
          };
        }),
      `ws://127.0.0.1:${this.server.port}/ws/${encodeURIComponent(room)}${query}`,
    );
  }

  say(number, text) {
    return this.#page.evaluate(([at, what]) => globalThis.clients[at].socket.send(what), [
      number,
      text,
    ]);
  }

  // Says something again and again.
  talk(number, everyMs) {
    return this.#page.evaluate(
      ([at, pauseMs]) => {
        let turn = 0;
        const { socket } = globalThis.clients[at];
        const say = () => socket.send(`message ${(turn += 1)} of client ${at}`);
        socket.addEventListener('close', () => clearInterval(timer));
        const timer = setInterval(say, pauseMs);
      },
      [number, everyMs],
    );
  }

  // What ended it, when something has.
  async closed(number) {
    const found = await this.#page.waitForFunction((at) => globalThis.clients[at].closed, number, {
      timeout: deadlineMs,
    });
    return found.jsonValue();
  }

  isOpen(number) {
    return this.#page.evaluate((at) => globalThis.clients[at].closed === null, number);
  }

  hears(number, text) {
    return this.#page.waitForFunction(
      ([at, what]) => globalThis.clients[at].got.some((one) => one.includes(what)),
      [number, text],
      { timeout: deadlineMs },
    );
  }
}
