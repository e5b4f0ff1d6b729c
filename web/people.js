// Who is in a room: what the server says when asked, and the joins and leaves that it tells in rooms
// that have them. A person is a user with all its connections; a connection without a user is one by
// itself.

import { cleanName } from './message.js';

const maxTold = 1000;
const freshMs = 5000; // an answer may be older than a join or leave that came before it

export class People {
  #here = new Map(); // key -> {name, clients, isDoubted}
  #told = new Map(); // key -> when a join or leave told of it
  #isKnown = false;
  #sorted = null; // until somebody comes or goes

  // {name, clients}, by name; those without a name come last.
  get all() {
    this.#sorted ??= [...this.#here.values()].sort(byName);
    return this.#sorted;
  }

  get count() {
    return this.#here.size;
  }

  // Somebody was missing from the last answer, who may be just coming back.
  get hasDoubts() {
    return [...this.#here.values()].some(({ isDoubted }) => isDoubted);
  }

  // What the server answered: {client: {user, client}}. Returns {came, gone}, lists of people; at
  // first nobody has come, they were there. Who is missing has gone when he is missing twice.
  update(presence, nowMs) {
    for (const [key, at] of this.#told) if (nowMs - at > freshMs) this.#told.delete(key);
    const found = new Map();
    for (const info of Object.values(presence)) addTo(found, info);
    const came = [];
    const gone = [];
    for (const [key, person] of found) {
      if (this.#told.has(key)) continue;
      if (!this.#here.has(key)) came.push(person);
      this.#here.set(key, person);
    }
    for (const [key, person] of this.#here) {
      if (found.has(key) || this.#told.has(key)) continue;
      if (person.isDoubted) gone.push(person);
      if (person.isDoubted) this.#here.delete(key);
      person.isDoubted = true;
    }
    this.#sorted = null;
    const isFirst = !this.#isKnown;
    this.#isKnown = true;
    return isFirst ? { came: [], gone: [] } : { came, gone };
  }

  joined(info, nowMs) {
    const key = this.#tell(info, nowMs);
    const isNew = !this.#here.has(key);
    const person = addTo(this.#here, info);
    return { came: isNew ? [person] : [], gone: [] };
  }

  // Of a user it is told when its last connection has gone.
  left(info, nowMs) {
    const key = this.#tell(info, nowMs);
    const person = this.#here.get(key);
    this.#here.delete(key);
    return { came: [], gone: person ? [person] : [] };
  }

  #tell(info, nowMs) {
    const key = keyOf(info);
    this.#sorted = null;
    this.#told.set(key, nowMs);
    if (this.#told.size > maxTold) this.#told.delete(this.#told.keys().next().value);
    return key;
  }
}

const names = new Intl.Collator(); // which compares faster than the texts themselves do

function byName(one, other) {
  return (one.name === '') - (other.name === '') || names.compare(one.name, other.name);
}

function keyOf({ user, client }) {
  return user ? `user ${user}` : `client ${client}`;
}

function addTo(people, info) {
  const key = keyOf(info);
  const person = people.get(key) ?? { name: cleanName(info.user ?? ''), clients: [] };
  person.isDoubted = false;
  if (!person.clients.includes(info.client)) person.clients.push(info.client);
  people.set(key, person);
  return person;
}
