// The rooms with most members, by name where the person asks for some.

import { byId, element, nameOf } from './dom.js';
import { count } from './figures.js';

export class RoomsView {
  #api;
  #onOpen;
  #pattern = '';

  constructor(api, onOpen) {
    this.#api = api;
    this.#onOpen = onOpen;
  }

  list(pattern) {
    this.#pattern = pattern;
    return this.refresh();
  }

  async refresh() {
    const pattern = this.#pattern;
    const found = await this.#api.call('rooms', pattern ? { pattern } : {});
    if (pattern === this.#pattern) this.#draw(found);
  }

  // What has the focus keeps it.
  #draw({ rooms, total }) {
    const focused = document.activeElement?.dataset?.room;
    byId('rooms-table').hidden = rooms.length === 0;
    byId('rooms-note').textContent =
      rooms.length < total
        ? `The ${count(rooms.length)} with most members, of ${count(total)}.`
        : rooms.length === 0
          ? 'No room has members.'
          : '';
    byId('room-list').replaceChildren(...rooms.map((room) => this.#row(room)));
    if (focused !== undefined)
      [...byId('room-list').querySelectorAll('button')]
        .find((button) => button.dataset.room === focused)
        ?.focus();
  }

  #row({ room, members }) {
    const open = element('button', { type: 'button', className: 'link' }, nameOf(room));
    open.dataset.room = room;
    open.addEventListener('click', () => this.#onOpen(room));
    return element(
      'tr',
      {},
      element('td', {}, open),
      element('td', { className: 'number' }, count(members)),
    );
  }
}
