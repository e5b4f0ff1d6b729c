// Shows who is in the room: the list at the side, and the count in the bar.

import { hueOf } from './log_view.js';

const maxShown = 100;
const drawAfterMs = 100;

export class PeopleView {
  #section;
  #count;
  #list;
  #badge;
  #people = null;
  #isMe = () => false;
  #drawing = 0;

  constructor({ section, count, list, badge }) {
    this.#section = section;
    this.#count = count;
    this.#list = list;
    this.#badge = badge;
  }

  // With null it is not known who is there. Drawn a little later: many may come at once.
  show(people, isMe) {
    this.#people = people;
    this.#isMe = isMe;
    if (people === null) {
      clearTimeout(this.#drawing);
      this.#draw();
    } else {
      this.#drawing ||= setTimeout(() => this.#draw(), drawAfterMs);
    }
  }

  #draw() {
    this.#drawing = 0;
    const people = this.#people?.all ?? null;
    const isMe = this.#isMe;
    this.#section.hidden = this.#badge.hidden = people === null;
    if (people === null) return this.#list.replaceChildren();
    this.#count.textContent = people.length;
    this.#badge.textContent = `${people.length} here`;
    const mine = people.filter(isMe);
    const others = people.filter((person) => person.name && !isMe(person));
    const items = [...mine.map((person) => itemOf(person.name, ' (you)')), ...others.map(named)];
    const nameless = people.length - mine.length - others.length;
    const hidden = Math.max(0, items.length - maxShown);
    items.length -= hidden;
    if (nameless > 0) items.push(restOf(`${nameless} without a name`));
    if (hidden > 0) items.push(restOf(`and ${hidden} more`));
    this.#list.replaceChildren(...items);
  }
}

function named({ name }) {
  return itemOf(name, '');
}

function itemOf(name, note) {
  const item = document.createElement('li');
  item.className = `hue-${hueOf(name)}`;
  const label = document.createElement('bdi');
  label.textContent = name;
  item.append(label, note);
  return item;
}

function restOf(text) {
  const item = document.createElement('li');
  item.className = 'rest';
  item.textContent = text;
  return item;
}
