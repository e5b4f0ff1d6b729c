// A client of Centrifugo's protocol: JSON over one WebSocket (docs/centrifugo.md), for any number of
// rooms. It answers the server's pings, notices when they no longer come, and comes back by itself
// unless the server says not to. Runs in browsers and in Node.

import { backoffMs, stableMs } from './backoff.js';
import { Batch, repliesOf } from './batch.js';
import { CommandError, endsForGood, own } from './codes.js';
import { Subscription } from './subscription.js';

const openTimeoutMs = 10_000; // for the handshake and the reply to `connect`
const replyTimeoutMs = 10_000;
const pingDelayMs = 10_000; // how late a ping may be
const maxWaiting = 4096; // commands without a reply

const nothing = () => {};

export class Client {
  #urlOf;
  #options;
  #on;
  #state = 'disconnected'; // or connecting, connected
  #socket = null;
  #timer = 0; // the limit for opening, or the wait before the next attempt
  #pingTimer = 0;
  #pingEveryMs = 0;
  #answersPings = false;
  #attempt = 0;
  #connectedAtMs = 0;
  #lastId = 0;
  #waiting = new Map(); // id -> {onReply, onError, timer}
  #batch = new Batch((message) => this.#socket.send(message));
  #subscriptions = new Map();

  // urlOf: the endpoint's URL, asked anew for each attempt.
  // on: connecting({code, reason}) when it begins or was lost, opening() at each attempt,
  //   waiting({untilMs}) between attempts, connected({client}), disconnected({code, reason}).
  // options: WebSocket, where there is no global one; firstDelayMs, maxDelayMs, pingDelayMs.
  constructor(urlOf, on = {}, options = {}) {
    this.#urlOf = urlOf;
    this.#on = on;
    this.#options = { pingDelayMs, ...options };
  }

  get state() {
    return this.#state;
  }

  connect() {
    if (this.#state !== 'disconnected') return;
    this.#state = 'connecting';
    this.#attempt = 0;
    this.#on.connecting?.({ code: own.called, reason: 'connect called' });
    this.#open();
  }

  disconnect() {
    this.#end(own.called, 'disconnect called', false);
  }

  // Gives up the present socket or wait and tries at once.
  reconnect({ afresh = false } = {}) {
    if (this.#state === 'disconnected') return this.connect();
    this.#drop('connecting', { code: own.called, reason: 'reconnect called' });
    if (afresh) this.#attempt = 0;
    if (this.isWaiting) this.#open();
  }

  get isWaiting() {
    return this.#state === 'connecting' && this.#socket === null;
  }

  // A room to be in, over all connections, once subscribe() is called: see subscription.js.
  room(name, on, options) {
    if (this.#subscriptions.has(name)) throw new Error(`there is a subscription to ${name}`);
    const subscription = new Subscription(this, name, on, options);
    this.#subscriptions.set(name, subscription);
    return subscription;
  }

  forget(subscription) {
    subscription.unsubscribe();
    if (this.#subscriptions.get(subscription.room) === subscription) {
      this.#subscriptions.delete(subscription.room);
    }
  }

  // The result of a command, such as call('presence', {channel}). Fails with a CommandError.
  call(method, parameters) {
    return new Promise((resolve, reject) => this.ask(method, parameters, resolve, reject));
  }

  publish(room, data) {
    return this.call('publish', { channel: room, data });
  }

  // The same with handlers that run before anything behind the reply in its message is handled.
  ask(method, parameters, onReply, onError) {
    if (this.#state !== 'connected') return onError(transportClosed());
    this.#ask(method, parameters, onReply, onError);
  }

  // Lost by its own judgement: the server seems to be gone, or makes no sense.
  lose(code, reason) {
    this.#end(code, reason, true);
  }

  // ---- a connection's life ----

  #open() {
    const WebSocket = this.#options.WebSocket ?? globalThis.WebSocket;
    const socket = new WebSocket(this.#urlOf());
    socket.onopen = () => {
      const onError = (error) => {
        if (this.#socket === socket) this.#end(error.code, error.message, error.mayPass);
      };
      this.#ask('connect', { name: 'canang' }, (result) => this.#connected(result), onError);
    };
    socket.onmessage = ({ data }) => this.#received(data);
    socket.onerror = nothing; // a close follows
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
    this.#socket = socket;
    this.#timer = setTimeout(() => this.lose(own.noReply, 'connect timeout'), openTimeoutMs);
    this.#on.opening?.();
  }

  #connected({ client = '', ping = 0, pong = false }) {
    clearTimeout(this.#timer);
    this.#state = 'connected';
    this.#connectedAtMs = Date.now();
    this.#pingEveryMs = ping * 1000;
    this.#answersPings = pong;
    this.#awaitPing();
    this.#on.connected?.({ client });
    for (const subscription of this.#subscriptions.values()) subscription.connected();
  }

  #closed(code, reason) {
    if (code >= 3000 || endsForGood(code)) this.#end(code, reason, !endsForGood(code));
    else this.#end(own.transportClosed, 'transport closed', true);
  }

  #end(code, reason, comesBack) {
    if (this.#state === 'disconnected') return;
    this.#drop(comesBack ? 'connecting' : 'disconnected', { code, reason });
    if (!this.isWaiting) return;
    const delayMs = backoffMs(this.#attempt, {
      first: this.#options.firstDelayMs,
      most: this.#options.maxDelayMs,
    });
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.#open(), delayMs);
    this.#on.waiting?.({ untilMs: Date.now() + delayMs });
  }

  // Whoever waits for a reply is told that none comes.
  #drop(state, why) {
    const was = this.#state;
    this.#state = state;
    clearTimeout(this.#timer);
    clearTimeout(this.#pingTimer);
    if (this.#connectedAtMs > 0 && Date.now() - this.#connectedAtMs > stableMs) this.#attempt = 0;
    this.#connectedAtMs = 0;
    this.#batch.clear();
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { timer, onError } of waiting) {
      clearTimeout(timer);
      onError(transportClosed());
    }
    if (was === 'connected') {
      for (const subscription of this.#subscriptions.values()) subscription.lost();
    }
    if (was !== state) this.#on[state]?.(why);
  }

  // ---- commands and replies ----

  #ask(method, parameters, onReply, onError) {
    if (this.#waiting.size >= maxWaiting) {
      return onError(new CommandError({ message: 'too many commands are on their way' }));
    }
    this.#lastId += 1;
    const id = this.#lastId;
    const late = () => {
      this.#waiting.delete(id);
      onError(new CommandError({ code: own.noReply, message: 'no reply' }));
    };
    this.#waiting.set(id, { onReply, onError, timer: setTimeout(late, replyTimeoutMs) });
    this.#batch.add({ id, [method]: parameters });
  }

  #received(data) {
    this.#awaitPing();
    const socket = this.#socket;
    for (const reply of repliesOf(data)) {
      if (reply === null) return this.lose(own.badReply, 'the server makes no sense');
      this.#take(reply);
      if (this.#socket !== socket) return; // the connection ended with that
    }
  }

  #take(reply) {
    if (reply.id) this.#answered(reply);
    else if (reply.push) this.#pushed(reply.push);
    else if (this.#answersPings) this.#batch.add({});
  }

  #answered({ id, error, ...results }) {
    const asked = this.#waiting.get(id);
    if (!asked) return; // too late
    this.#waiting.delete(id);
    clearTimeout(asked.timer);
    if (error) asked.onError(new CommandError(error));
    else asked.onReply(Object.values(results)[0] ?? {});
  }

  #pushed({ channel, disconnect, ...push }) {
    if (disconnect) this.#end(disconnect.code, disconnect.reason, !endsForGood(disconnect.code));
    else this.#subscriptions.get(channel)?.pushed(push);
  }

  #awaitPing() {
    clearTimeout(this.#pingTimer);
    if (this.#pingEveryMs === 0 || this.#state !== 'connected') return;
    const limitMs = this.#pingEveryMs + this.#options.pingDelayMs;
    this.#pingTimer = setTimeout(() => this.lose(own.noPing, 'no ping'), limitMs);
  }
}

function transportClosed() {
  return new CommandError({ code: own.transportClosed, message: 'the connection was lost' });
}
