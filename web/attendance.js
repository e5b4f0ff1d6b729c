// Keeps the list of who is in a room: asks for the presence, and takes the joins and leaves that the
// server tells in rooms that have them.

import { People } from './people.js';

const notToBeHad = [103, 106, 108]; // not allowed, too many, or not kept in this room

// It is asked for again after so long, and longer in a room with many, so that what it costs a page
// stays the same. Where the server tells of joins and leaves there is little to correct.
const askAgainMs = 10_000;
const askAgainEachMs = 50;
const askWhereToldMs = 60_000;
const askInDoubtMs = 4000;

export class Attendance {
  #client;
  #room;
  #onChange;
  #people = new People();
  #timer = 0;
  #isDue = false; // but the page is hidden
  #isTold = false; // the room has told of a join or a leave
  #isKept = true; // as far as is known
  #isOver = false;

  // onChange(people, {came, gone}): see people.js; people is null where the list cannot be had.
  constructor(client, room, onChange) {
    this.#client = client;
    this.#room = room;
    this.#onChange = onChange;
    document.addEventListener('visibilitychange', this.#onVisible);
  }

  // From now on this page is in the room.
  begin() {
    this.pause();
    const parameters = { channel: this.#room };
    this.#client.ask('presence', parameters, (is) => this.#came(is), (error) => this.#failed(error));
  }

  pause() {
    clearTimeout(this.#timer);
    this.#isDue = false;
  }

  joined(info) {
    this.#isTold = true;
    this.#changed(this.#people.joined(info, Date.now()));
  }

  left(info) {
    this.#isTold = true;
    this.#changed(this.#people.left(info, Date.now()));
  }

  end() {
    this.#isOver = true;
    this.pause();
    document.removeEventListener('visibilitychange', this.#onVisible);
  }

  #came({ presence = {} }) {
    if (this.#isOver) return;
    this.#isKept = true;
    this.#changed(this.#people.update(presence, Date.now()));
    this.#askLater();
  }

  #changed(moves) {
    if (this.#isKept) this.#onChange(this.#people, moves);
  }

  #failed({ code, mayPass }) {
    if (this.#isOver) return;
    if (notToBeHad.includes(code)) {
      this.#isKept = false;
      this.#onChange(null, { came: [], gone: [] });
    } else if (mayPass && this.#client.state === 'connected') {
      this.#askLater();
    }
  }

  #askLater() {
    clearTimeout(this.#timer);
    const everyMs = this.#isTold ? askWhereToldMs : askAgainMs;
    const untilMs = this.#people.hasDoubts ? askInDoubtMs : everyMs;
    const delayMs = (untilMs + this.#people.count * askAgainEachMs) * (0.8 + 0.4 * Math.random());
    this.#timer = setTimeout(() => this.#ask(), delayMs);
  }

  #ask() {
    if (document.hidden) this.#isDue = true;
    else this.begin();
  }

  #onVisible = () => {
    if (this.#isDue) this.#ask();
  };
}
