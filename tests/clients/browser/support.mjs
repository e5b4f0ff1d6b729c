// A server process and pages of a real Chromium, all of which end with the test run.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const deadlineMs = 20_000;
const stopMs = 5_000;

const defaultBinary = fileURLToPath(new URL('../../../build/release/canang', import.meta.url));
const binary = process.env.CANANG_BIN ?? defaultBinary;
const browserBinary = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium';

// A test run that is ended from outside must not leave a server behind.
const children = new Set();
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

// ---- server ---------------------------------------------------------------------------------

export class Server {
  port = 0;
  internalPort = 0;
  #child = null;
  #output = '';
  #options;

  constructor(options = []) {
    this.#options = options;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  // On the port that it had before, if it was started before.
  async start() {
    assert.ok(existsSync(binary), `no server at ${binary}: build it, or set CANANG_BIN`);
    this.#output = '';
    const child = spawn(
      binary,
      [
        ...['--listen', `127.0.0.1:${this.port}`],
        ...['--internal-listen', '127.0.0.1:0'],
        ...['--drain-grace', '0s', '--drain-period', '1s'],
        ...this.#options,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#child = child;
    children.add(child);
    child.once('exit', () => children.delete(child));

    await new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`the server ${why}; it said:\n${this.#output}`));
      const timer = setTimeout(() => fail(`was not ready in ${deadlineMs} ms`), deadlineMs);
      child.once('error', (error) => fail(`did not start: ${error.message}`));
      child.once('exit', (code, signal) => fail(`ended at once (${signal ?? code})`));
      const read = (chunk) => {
        this.#output = (this.#output + chunk).slice(-20_000);
        const port = /(?<!internal )listening on 127\.0\.0\.1:(\d+)/.exec(this.#output);
        if (!port || !/\bready\b/.test(this.#output)) return;
        this.port = Number(port[1]);
        this.internalPort = Number(/internal listening on 127\.0\.0\.1:(\d+)/.exec(this.#output)[1]);
        clearTimeout(timer);
        resolve();
      };
      child.stdout.setEncoding('utf8').on('data', read);
      child.stderr.setEncoding('utf8').on('data', read);
    });
  }

  // A command of the server API.
  async call(method, body) {
    const url = `http://127.0.0.1:${this.internalPort}/api/${method}`;
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    const { result, error } = await answer.json();
    assert.ok(result, `${method}: ${JSON.stringify(error)}`);
    return result;
  }

  assertAlive() {
    const { exitCode, signalCode } = this.#child;
    const ended = exitCode !== null || signalCode !== null;
    assert.ok(!ended, `the server ended (${signalCode ?? exitCode}); it said:\n${this.#output}`);
  }

  // What it ended with: its exit code, or the signal that killed it.
  async stop(signal) {
    const child = this.#child;
    if (!child) return null;
    if (child.exitCode !== null || child.signalCode !== null) {
      return child.signalCode ?? child.exitCode;
    }
    const exited = once(child, 'exit');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
    child.kill(signal);
    await exited;
    clearTimeout(timer);
    return child.signalCode ?? child.exitCode;
  }
}

// ---- browser --------------------------------------------------------------------------------

export function launchBrowser() {
  return chromium.launch({
    executablePath: browserBinary,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

// One person: a browser context of its own (storage, name), with the chat page open.
export class Person {
  complaints = []; // whatever no page may do
  serverMayBeAway = false;

  // prepare: gets the page before it is loaded.
  static async arrive(browser, server, { room = '', name = '', phone = false, prepare } = {}) {
    const person = new Person();
    person.server = server;
    person.context = await browser.newContext(
      phone
        ? { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }
        : { viewport: { width: 1280, height: 800 } },
    );
    person.context.setDefaultTimeout(deadlineMs);
    person.page = await person.context.newPage();
    person.#watch();
    await prepare?.(person.page);
    await person.page.goto(`${server.origin}/${room && `#${encodeURIComponent(room)}`}`);
    if (name) await person.rename(name);
    await person.connected();
    return person;
  }

  #watch() {
    const { host } = new URL(this.server.origin);
    const seen = (url) => {
      if (new URL(url).host !== host) this.complaints.push(`request to ${url}`);
    };
    this.page.on('request', (request) => seen(request.url()));
    this.page.on('websocket', (socket) => seen(socket.url()));
    this.page.on('dialog', (dialog) => {
      this.complaints.push(`dialog: ${dialog.message()}`);
      return dialog.dismiss();
    });
    this.page.on('pageerror', (error) => this.complaints.push(`exception: ${error.stack}`));
    this.page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      // Chromium itself reports every attempt that finds no server; a page cannot prevent that.
      const refused = message.text().startsWith(`WebSocket connection to 'ws://${host}/`);
      if (refused && this.serverMayBeAway) return;
      this.complaints.push(`console: ${message.text()}`);
    });
    this.page.on('response', (response) => {
      if (response.status() >= 400) this.complaints.push(`${response.status()} ${response.url()}`);
    });
  }

  async rename(name) {
    const drawer = this.page.locator('#menu');
    const narrow = await drawer.isVisible();
    if (narrow) await drawer.click();
    await this.page.fill('#name', name);
    await this.page.press('#name', 'Enter');
    await this.page.locator('#as-name', { hasText: name }).waitFor();
  }

  state(name) {
    return this.page.locator(`#app[data-state="${name}"]`).waitFor({ state: 'attached' });
  }

  async connected() {
    await this.state('connected');
    await this.page.locator('#state-text', { hasText: /^Connected$/ }).waitFor();
  }

  async say(text) {
    await this.page.fill('#compose-text', text);
    await this.page.press('#compose-text', 'Enter');
    await this.sees(text);
  }

  // Waits until the room has given the message to this page.
  sees(text) {
    const whole = new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}$`);
    return this.page.locator('#messages .text', { hasText: whole }).first().waitFor();
  }

  log() {
    return this.page.$$eval('#messages > .message', (items) =>
      items.map((item) => ({
        name: item.querySelector('.name').textContent,
        text: item.querySelector('.text').textContent,
        time: item.querySelector('time').dateTime,
        mine: item.classList.contains('mine'),
      })),
    );
  }

  // Messages and notes, without the marks that isolate names.
  lines() {
    return this.page.$$eval('#messages > *', (items) =>
      items.map((item) =>
        (item.querySelector('.text') ?? item).textContent.replace(/[\u2068\u2069]/g, ''),
      ),
    );
  }

  // Who is here, as the list has it.
  people() {
    return this.page.$$eval('#people > li', (items) => items.map((item) => item.textContent));
  }

  async texts() {
    return (await this.log()).map(({ text }) => text);
  }

  // A second connection of the same browser to a room, as any other WebSocket client. Sends the
  // frames ({text} or {bytes: n}) and leaves when the last one has come back.
  sendForeign(room, frames) {
    return this.page.evaluate(
      ([url, list]) =>
        new Promise((resolve, reject) => {
          const socket = new WebSocket(url);
          let left = list.length;
          socket.onerror = () => reject(new Error(`no connection to ${url}`));
          socket.onmessage = () => {
            left -= 1;
            if (left === 0) socket.close(1000);
          };
          socket.onclose = resolve;
          socket.onopen = () => {
            for (const { text, bytes } of list) socket.send(text ?? new Uint8Array(bytes));
          };
        }),
      [`ws://127.0.0.1:${this.server.port}/ws/${encodeURIComponent(room)}`, frames],
    );
  }
}
