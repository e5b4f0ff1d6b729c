// Messages of this page that the room has not given back yet.

import { own } from './codes.js';
import { failureText } from './state_text.js';

export class Outbox {
  #publish;
  #view;
  #onLate;
  #unconfirmed = new Map(); // id -> {message, failed}

  // publish(message): a promise that fails when the room did not take it; onLate: no reply came.
  constructor(publish, view, onLate) {
    this.#publish = publish;
    this.#view = view;
    this.#onLate = onLate;
  }

  send(message) {
    this.#view.addPending({ kind: 'chat', mine: true, ...message });
    this.#unconfirmed.set(message.id, { message, failed: false });
    this.#try(message);
  }

  // It came back.
  confirm(id) {
    this.#unconfirmed.delete(id);
  }

  // Forgets all; returns the texts of those that failed.
  clear() {
    const all = [...this.#unconfirmed.values()];
    this.#unconfirmed.clear();
    return all.filter(({ failed }) => failed).map(({ message }) => message.body);
  }

  async #try(message) {
    try {
      await this.#publish(message);
    } catch (error) {
      this.#failed(message, error);
    }
  }

  // Stays known: the history may still bring it. Sent again with the same id, no page shows it twice.
  #failed(message, error) {
    const entry = this.#unconfirmed.get(message.id);
    if (!entry) return;
    entry.failed = true;
    this.#view.markFailed(message.id, failureText(error), () => {
      entry.failed = false;
      this.#view.markSending(message.id);
      this.#try(message);
    });
    if (error.code === own.noReply) this.#onLate();
  }
}
