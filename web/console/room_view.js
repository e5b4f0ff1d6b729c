// One room: who is there, what was published last; publishing, and removing members.

import { confirmed, say, told } from './actions.js';
import { Refused } from './api.js';
import { byId, drawFigures, element, nameOf, visible } from './dom.js';
import { bytes, count, plural } from './figures.js';

const maxPublications = 20;

export class RoomView {
  #api;
  #onUser;
  #room = null;

  constructor(api, onUser) {
    this.#api = api;
    this.#onUser = onUser;
  }

  get room() {
    return this.#room;
  }

  async open(room) {
    this.#room = room;
    byId('room-title-name').textContent = visible(room);
    for (const list of ['room-figures', 'member-list', 'publication-list'])
      byId(list).replaceChildren();
    byId('room').hidden = false;
    byId('room').focus();
    await this.refresh();
  }

  close() {
    this.#room = null;
    byId('room').hidden = true;
    byId('rooms').focus();
  }

  async refresh() {
    const room = this.#room;
    if (room === null) return;
    const found = await this.#api.call('room', { channel: room });
    const kept = await this.#history(room);
    if (room !== this.#room) return;
    this.#drawMembers(found);
    this.#drawPublications(kept);
  }

  // A room that keeps no history is no failure of the page.
  async #history(room) {
    try {
      return await this.#api.call('history', { channel: room, limit: maxPublications });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { publications: [], note: error.message };
    }
  }

  #drawMembers({ members, users, presence, offset, nodes, shown }) {
    drawFigures(byId('room-figures'), [
      ['Members', count(members)],
      ...(presence ? [['Users', count(users)]] : []),
      ['Offset', count(offset)],
      ...nodes.map(({ node, members: there }) => [`on ${visible(node)}`, count(there)]),
    ]);
    byId('members-note').textContent = !presence
      ? 'The settings of this room keep no presence.'
      : shown.length < members
        ? `The first ${plural(shown.length, 'member')} of ${count(members)}.`
        : '';
    byId('member-list').replaceChildren(...shown.map((member) => this.#memberRow(member)));
  }

  #memberRow({ client, user }) {
    const who = user
      ? element('button', { type: 'button', className: 'link' }, nameOf(user))
      : element('span', {}, 'without a name');
    if (user) who.addEventListener('click', () => this.#onUser(user));
    const remove = element('button', { type: 'button', className: 'danger' }, 'Remove…');
    remove.setAttribute('aria-label', `Remove ${visible(user || client)} from the room`);
    remove.addEventListener('click', () => this.#remove(user, client));
    return element('li', {}, who, element('span', { className: 'hint' }, nameOf(client)), remove);
  }

  async #remove(user, client) {
    const room = this.#room;
    const text = `Remove this connection of ${visible(user || 'no user')} from ${visible(room)}?`;
    if (!(await confirmed(text, 'Remove'))) return;
    const whom = user ? { user, client } : { client };
    await this.#act(async () => {
      say(`Removed: ${told(await this.#api.call('unsubscribe', { ...whom, channel: room }))}.`);
    });
  }

  #drawPublications({ publications, note = '' }) {
    const hidden = publications.some(({ bytes: size }) => size !== undefined);
    byId('publications-note').textContent =
      note ||
      (publications.length === 0 ? 'None is kept.' : '') ||
      (hidden ? 'What they say is shown with --console-payloads only.' : '');
    byId('publication-list').replaceChildren(...publications.map(publicationRow));
  }

  async publish(text) {
    const room = this.#room;
    if (!(await confirmed(`Publish this in ${visible(room)}, for all its members?`, 'Publish')))
      return false;
    return this.#act(async () => {
      const data = dataOf(text);
      const { offset } = await this.#api.call('publish', { channel: room }, { data });
      say(offset === undefined ? 'Published.' : `Published, with the offset ${offset}.`);
    });
  }

  async #act(action) {
    try {
      await action();
    } catch (error) {
      say(error.message, true);
      return false;
    }
    await this.refresh().catch(() => {}); // the next one says what is wrong
    return true;
  }
}

// What is JSON is published as it is, to the last digit; other text as a string.
export function dataOf(text) {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

function contentOf({ data, b64data, bytes: size, binary }) {
  if (size !== undefined) return `${bytes(size)}${binary ? ', binary' : ''}`;
  if (b64data !== undefined) return `binary, in base64: ${visible(b64data)}`;
  return visible(typeof data === 'string' ? data : JSON.stringify(data));
}

function publicationRow(publication) {
  const { offset, info } = publication;
  return element(
    'li',
    {},
    element('span', { className: 'number' }, offset === undefined ? '' : `#${offset}`),
    info?.user ? nameOf(info.user) : '',
    element('bdi', { className: 'payload' }, contentOf(publication)),
  );
}
