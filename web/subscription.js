// A room to be in, over all connections of a client: it is joined again after each loss, and
// continues from the last publication that came. Made by Client.room().

import { backoffMs, stableMs } from './backoff.js';
import { endsMembership, own } from './codes.js';

export class Subscription {
  #client;
  #on;
  #options;
  #state = 'unsubscribed'; // or subscribing, subscribed
  #try = null; // the one that is under way: replies to older ones don't count
  #timer = 0;
  #attempt = 0;
  #subscribedAtMs = 0;
  #place = null; // {epoch, offset} of the last publication, where the room can be recovered

  // on: subscribing({code, reason}), subscribed({wasRecovering, recovered, epoch, offset,
  //   publications}), of which each publication follows by itself; unsubscribed({code, reason}),
  //   publication({offset, data, info}), without an offset where it has no place in the order;
  //   join({user, client}), leave({user, client}).
  // options: recoverable, joinLeave; firstDelayMs, maxDelayMs between attempts.
  constructor(client, room, on, options = {}) {
    this.#client = client;
    this.room = room;
    this.#on = on;
    this.#options = options;
  }

  get state() {
    return this.#state;
  }

  subscribe() {
    if (this.#state !== 'unsubscribed') return;
    this.#become('subscribing', { code: own.called, reason: 'subscribe called' });
    this.connected();
  }

  unsubscribe() {
    if (this.#state === 'unsubscribed') return;
    this.#become('unsubscribed', { code: own.called, reason: 'unsubscribe called' });
    const onError = ({ code }) => {
      if (code !== own.transportClosed) this.#client.lose(own.noReply, 'unsubscribe failed');
    };
    this.#client.ask('unsubscribe', { channel: this.room }, () => {}, onError);
  }

  // ---- told by the client ----

  // There is a connection.
  connected() {
    if (this.#state !== 'subscribing' || this.#client.state !== 'connected') return;
    const isNow = {};
    this.#try = isNow;
    const { recoverable = false, joinLeave = false } = this.#options;
    const asked = { channel: this.room, recoverable, join_leave: joinLeave };
    if (this.#place) Object.assign(asked, { recover: true, ...this.#place });
    this.#client.ask(
      'subscribe',
      asked,
      (result) => this.#try === isNow && this.#subscribed(result),
      (error) => this.#try === isNow && this.#failed(error),
    );
  }

  // The connection is gone.
  lost() {
    if (this.#state !== 'unsubscribed') {
      this.#become('subscribing', { code: own.transportClosed, reason: 'transport closed' });
    }
  }

  pushed({ pub, join, leave, unsubscribe }) {
    if (this.#state !== 'subscribed') return;
    if (pub) this.#published(pub);
    else if (join) this.#on.join?.(join.info);
    else if (leave) this.#on.leave?.(leave.info);
    else if (unsubscribe) this.#removed(unsubscribe);
  }

  // ----

  #become(state, why) {
    clearTimeout(this.#timer);
    if (this.#subscribedAtMs > 0 && Date.now() - this.#subscribedAtMs > stableMs) this.#attempt = 0;
    this.#subscribedAtMs = 0;
    this.#try = null;
    if (this.#state === state) return;
    this.#state = state;
    if (state === 'unsubscribed') this.#place = null;
    this.#on[state]?.(why);
  }

  #subscribed(result) {
    const { epoch = '', offset = 0, publications = [] } = result;
    this.#try = null;
    this.#state = 'subscribed';
    this.#subscribedAtMs = Date.now();
    this.#place = result.recoverable ? { epoch, offset } : null;
    this.#on.subscribed?.({
      wasRecovering: result.was_recovering ?? false,
      recovered: result.recovered ?? false,
      epoch,
      offset,
      publications,
    });
    for (const publication of publications) {
      if (this.#state === 'subscribed') this.#on.publication?.(publication);
    }
  }

  #failed({ code, message, mayPass }) {
    if (code === own.transportClosed) return; // lost() follows, or has been
    if (code === own.noReply) this.#client.lose(code, 'subscribe timeout');
    else if (mayPass) this.#subscribeSoon();
    else this.#become('unsubscribed', { code, reason: message });
  }

  #removed({ code, reason = '' }) {
    this.#become(endsMembership(code) ? 'unsubscribed' : 'subscribing', { code, reason });
    if (this.#state === 'subscribing') this.#subscribeSoon();
  }

  #subscribeSoon() {
    const { firstDelayMs: first, maxDelayMs: most } = this.#options;
    const delayMs = backoffMs(this.#attempt, { first, most });
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.connected(), delayMs);
  }

  #published(publication) {
    const { offset } = publication;
    if (this.#place && offset) this.#place.offset = offset;
    this.#on.publication?.(publication);
  }
}
