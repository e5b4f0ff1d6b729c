// One room's connection that comes back by itself, and gets what it missed. States, as given to
// onState:
//   connecting                  the first attempt
//   connected    {again,        again: not for the first time
//                 missed,       messages of the time between may be missing
//                 replays}      the room's last messages come once more, under other positions
//   reconnecting {retryAtMs}    waiting until then, or trying now when it is null
//   offline                     the same, but the browser says that it has no network

import { readFrame } from './meta.js';

const firstDelayMs = 500;
const maxDelayMs = 15_000;
const handshakeTimeoutMs = 10_000;
const stableMs = 5000; // a connection that lived this long starts the backoff anew

// Exponential with full jitter, so that the clients of a lost server don't return all at once.
export function backoffMs(attempt, random = Math.random) {
  return random() * Math.min(maxDelayMs, firstDelayMs * 2 ** attempt);
}

function lostState(retryAtMs) {
  return navigator.onLine ? { name: 'reconnecting', retryAtMs } : { name: 'offline' };
}

export class Link {
  #urlOf;
  #on;
  #socket = null;
  #timer = 0; // the handshake's limit, the stable mark, or the wait: never two at once
  #attempt = 0;
  #wasConnected = false;
  #closed = false;
  #ready = false; // the room has answered
  #position = null; // {epoch, offset} of the last publication
  #unrecoverable = false; // the room can't continue from there

  // urlOf: position or null -> the URL that continues from it, or begins with the room's last
  // messages. onData: a message; onMissed: here some may be missing; onRefused: the room did not
  // take the oldest of those that were sent and have not come back.
  constructor(urlOf, { onState, onData, onMissed, onRefused }) {
    this.#urlOf = urlOf;
    this.#on = { onState, onData, onMissed, onRefused };
    addEventListener('online', this.#nowSoon);
    addEventListener('pageshow', this.#nowIfWaiting);
    document.addEventListener('visibilitychange', this.#nowIfWaiting);
    this.#connect();
  }

  // False when the text could not be handed to a connection.
  send(text) {
    if (!this.#ready || this.#socket.readyState !== WebSocket.OPEN) return false;
    try {
      this.#socket.send(text);
      return true;
    } catch {
      return false;
    }
  }

  // Gives up the present socket or wait and tries at once.
  retryNow() {
    if (this.#closed) return;
    this.#drop();
    this.#connect();
  }

  close() {
    this.#closed = true;
    this.#drop();
    removeEventListener('online', this.#nowSoon);
    removeEventListener('pageshow', this.#nowIfWaiting);
    document.removeEventListener('visibilitychange', this.#nowIfWaiting);
  }

  // A network that comes (back) is often another one: an open socket is dead and does not know it.
  #nowSoon = () => {
    this.#attempt = 0;
    this.retryNow();
  };

  #nowIfWaiting = () => {
    if (!this.#socket && document.visibilityState === 'visible') this.retryNow();
  };

  #connect() {
    const first = !this.#wasConnected && this.#attempt === 0;
    this.#on.onState(first ? { name: 'connecting' } : lostState(null));
    const resumes = this.#position !== null && !this.#unrecoverable;
    const socket = new WebSocket(this.#urlOf(resumes ? this.#position : null));
    socket.onmessage = (event) => this.#received(readFrame(event.data), resumes);
    socket.onclose = () => this.#lost();
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#lost(), handshakeTimeoutMs);
  }

  #received(frame, resumes) {
    if (frame?.join && this.#ready) this.#broke(frame.join);
    else if (frame?.join && resumes && !frame.join.recovered) this.#startOver();
    else if (frame?.join) this.#joined(frame.join);
    else if (frame?.publication && this.#ready) this.#published(frame.publication);
    else if (frame?.error) this.#on.onRefused();
  }

  // What came before is lost to us, so show what there is: the room's last messages.
  #startOver() {
    this.#unrecoverable = true;
    this.retryNow();
  }

  #joined({ epoch, offset }) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.#attempt = 0), stableMs);
    this.#ready = true;
    const again = this.#wasConnected;
    const missed = this.#unrecoverable;
    const replays = missed && this.#position?.epoch !== epoch;
    // The last messages may begin before the place that we are at.
    const had = this.#position?.epoch === epoch ? this.#position.offset : 0;
    this.#position = { epoch, offset: Math.max(offset, had) };
    this.#wasConnected = true;
    this.#unrecoverable = false;
    this.#on.onState({ name: 'connected', again, missed, replays });
  }

  // In the middle of the stream: it goes on from another place.
  #broke({ epoch, offset, recovered }) {
    this.#position = { epoch, offset };
    if (!recovered) this.#on.onMissed();
  }

  #published({ epoch, offset, data }) {
    if (epoch !== undefined) {
      if (epoch === this.#position.epoch && offset <= this.#position.offset) return;
      this.#position = { epoch, offset };
    }
    if (data !== undefined) this.#on.onData(data);
  }

  #lost() {
    this.#drop();
    const delayMs = backoffMs(this.#attempt);
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.#connect(), delayMs);
    this.#on.onState(lostState(Date.now() + delayMs));
  }

  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.#ready = false;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
