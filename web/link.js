// The page's connection and the room that it shows. States, as given to onState:
//   connecting                  the first attempt, or on the way into a room
//   connected                   in the room
//   reconnecting {retryAtMs}    waiting until then, or trying now when it is null
//   offline                     the same, but the browser says that it has no network
//   ended {reason}              the server closed the connection, and wants it to stay so
//   removed {code, reason}      the room does not take this client, or no longer

import { Client } from './client.js';
import { RoomSession } from './room_session.js';

export class Link {
  #client;
  #onState;
  #user = '';
  #session = null;
  #clientId = '';
  #isBack = false; // from a connection that was lost: not the first one

  constructor(onState) {
    this.#onState = onState;
    this.#client = new Client(() => endpoint(this.#user), {
      opening: () => this.#tell(this.#isBack ? lostState(null) : { name: 'connecting' }),
      waiting: ({ untilMs }) => this.#waits(untilMs),
      connected: ({ client }) => this.#connected(client),
      disconnected: ({ code, reason }) => this.#tell({ name: 'ended', code, reason }),
    });
    addEventListener('online', this.#anotherNetwork);
    addEventListener('pageshow', this.#nowIfWaiting);
    document.addEventListener('visibilitychange', this.#nowIfWaiting);
  }

  // The id of this page's connection, as the presence has it.
  get clientId() {
    return this.#clientId;
  }

  // The user that others see in the presence. On purpose, so that nothing counts as lost.
  setUser(user) {
    if (user === this.#user) return;
    this.#user = user;
    if (this.#client.state === 'disconnected') return;
    this.#session?.expectLoss();
    this.#isBack = false;
    this.#client.reconnect();
  }

  // Leaves the room that it was in. `on`: see room_session.js.
  enter(room, on) {
    this.leave();
    this.#session = new RoomSession(this.#client, room, {
      ...on,
      joining: () => this.#client.state === 'connected' && this.#tell({ name: 'connecting' }),
      joined: () => this.#tell({ name: 'connected' }),
      removed: (why) => this.#tell({ name: 'removed', ...why }),
    });
    if (this.#client.state === 'disconnected') this.#client.connect();
    else if (this.#client.state === 'connected') this.#tell({ name: 'connecting' });
  }

  leave() {
    this.#session?.close();
    this.#session = null;
  }

  // Resolves when the room has it.
  publish(room, data) {
    return this.#client.publish(room, data);
  }

  // Gives up the present connection or wait and tries at once.
  retryNow() {
    if (this.#session?.isOut && this.#client.state === 'connected') this.#session.rejoin();
    else this.#client.reconnect();
  }

  #connected(client) {
    this.#clientId = client;
    this.#isBack = true;
  }

  #waits(untilMs) {
    this.#isBack = true;
    this.#tell(lostState(untilMs));
  }

  #tell(state) {
    if (this.#session) this.#onState(state);
  }

  // A network that comes (back) is often another one: an open socket is dead and does not know it.
  #anotherNetwork = () => {
    if (this.#client.state !== 'disconnected') this.#client.reconnect({ afresh: true });
  };

  #nowIfWaiting = () => {
    if (this.#client.isWaiting && document.visibilityState === 'visible') this.#client.reconnect();
  };
}

function lostState(retryAtMs) {
  return navigator.onLine ? { name: 'reconnecting', retryAtMs } : { name: 'offline' };
}

function endpoint(user) {
  const url = new URL('connection/websocket', new URL('.', location.href));
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  if (user) url.search = new URLSearchParams({ user });
  return url.href;
}
