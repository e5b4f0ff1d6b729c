// One room's connection that comes back by itself. States, as given to onState:
//   connecting                  the first attempt
//   connected    {again}        again: not for the first time
//   reconnecting {retryAtMs}    waiting until then, or trying now when it is null
//   offline                     the same, but the browser says that it has no network

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
  #url;
  #onState;
  #onFrame;
  #socket = null;
  #timer = 0; // the handshake's limit, the stable mark, or the wait: never two at once
  #attempt = 0;
  #wasConnected = false;
  #closed = false;
  #ready = false;

  constructor(url, { onState, onFrame }) {
    this.#url = url;
    this.#onState = onState;
    this.#onFrame = onFrame;
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
    this.#onState(first ? { name: 'connecting' } : lostState(null));
    const socket = new WebSocket(this.#url);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => this.#onFrame(event.data);
    socket.onclose = () => this.#lost();
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#lost(), handshakeTimeoutMs);
  }

  #opened() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.#attempt = 0), stableMs);
    this.#ready = true;
    const again = this.#wasConnected;
    this.#wasConnected = true;
    this.#onState({ name: 'connected', again });
  }

  #lost() {
    this.#drop();
    const delayMs = backoffMs(this.#attempt);
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.#connect(), delayMs);
    this.#onState(lostState(Date.now() + delayMs));
  }

  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.#ready = false;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
