// A user: how many connections it has on which nodes; ending them, and removing it from rooms.

import { confirmed, say, told } from './actions.js';
import { byId, element, nameOf, visible } from './dom.js';
import { plural } from './figures.js';

export class UserView {
  #api;
  #user = null;

  constructor(api) {
    this.#api = api;
  }

  async open(user) {
    this.#user = user;
    byId('user-name').value = user;
    byId('user').focus();
    await this.refresh();
  }

  async refresh() {
    const user = this.#user;
    if (user === null) return;
    const found = await this.#api.call('user', { user });
    if (user === this.#user) this.#draw(user, found);
  }

  #draw(user, found) {
    byId('user-found').hidden = false;
    byId('user-title-name').textContent = visible(user);
    byId('user-sum').textContent = `${told(found)}.`;
    byId('user-nodes').replaceChildren(
      ...found.nodes.map(({ node, outcome, connections }) =>
        element(
          'li',
          {},
          nameOf(node),
          outcome === 'done' ? plural(connections, 'connection') : outcome.replace('_', ' '),
        ),
      ),
    );
    byId('user-disconnect').disabled = found.complete && found.connections === 0;
  }

  async disconnect() {
    const user = this.#user;
    if (!(await confirmed(`Close all connections of ${visible(user)}?`, 'Disconnect'))) return;
    await this.#order('Disconnected', 'disconnect', { user });
  }

  async remove(room) {
    const user = this.#user;
    const text = `Remove all connections of ${visible(user)} from ${visible(room)}?`;
    if (!(await confirmed(text, 'Remove'))) return;
    await this.#order('Removed', 'unsubscribe', { user, channel: room });
  }

  async #order(done, method, body) {
    try {
      say(`${done}: ${told(await this.#api.call(method, body))}.`);
    } catch (error) {
      say(error.message, true);
      return;
    }
    await this.refresh().catch(() => {}); // the next one says what is wrong
  }
}
