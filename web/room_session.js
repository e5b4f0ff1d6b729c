// What the page has of one room: its last messages first, then the live ones, without a gap between
// them; what was missed while the connection was lost; and who is there.

import { Attendance } from './attendance.js';
import { own } from './codes.js';
import { historyWanted } from './message.js';

const maxHeld = 500; // the page shows no more
const notToBeHad = [103, 108]; // not allowed to this client, or not kept in this room

export class RoomSession {
  #client;
  #room;
  #on;
  #subscription;
  #attendance;
  #isFirst = true;
  #isIntended = false;
  #lostAtMs = 0;
  #epoch = '';
  #shown = 0; // the offset of the last message that was given to the page
  #until = 0; // the history up to here comes before what is held
  #isReplay = false;
  #awaitsHistory = false;
  #missed = null; // {lostMs, newest}: the history is to say what was missed
  #held = []; // live publications that came before the history

  // on: joining(), joined(), removed({code, reason}); message(data); history([data]), replay([data]):
  //   the room's last messages, a replay when some of them may be here already under other
  //   positions; back({lostMs, recovered}): it was away, and so many messages follow that it missed;
  //   gap({lostMs}): here some are missing; noHistory(); people(people, {came, gone}): see
  //   attendance.js.
  constructor(client, room, on) {
    this.#client = client;
    this.#room = room;
    this.#on = on;
    this.#attendance = new Attendance(client, room, on.people);
    this.#subscription = client.room(
      room,
      {
        subscribing: (why) => this.#joining(why),
        subscribed: (how) => this.#subscribed(how),
        unsubscribed: (why) => this.#ended(why),
        publication: (publication) => this.#published(publication),
        join: (info) => this.#attendance.joined(info),
        leave: (info) => this.#attendance.left(info),
      },
      { recoverable: true, joinLeave: true },
    );
    this.#subscription.subscribe();
  }

  get isJoined() {
    return this.#subscription.state === 'subscribed';
  }

  // The room did not take this client, or no longer has it.
  get isOut() {
    return this.#subscription.state === 'unsubscribed';
  }

  rejoin() {
    this.#subscription.subscribe();
  }

  // The connection is about to be given up on purpose, which nobody needs to be told.
  expectLoss() {
    this.#isIntended = this.isJoined;
  }

  close() {
    this.#attendance.end();
    this.#on = null;
    this.#client.forget(this.#subscription);
  }

  // ---- coming and going of this page ----

  #joining({ code }) {
    this.#attendance.pause();
    const isLost = code === own.transportClosed && !this.#isFirst && !this.#isIntended;
    if (isLost && this.#lostAtMs === 0) this.#lostAtMs = Date.now();
    this.#isIntended = false;
    this.#on.joining();
  }

  #ended(why) {
    if (!this.#on) return; // closed
    this.#attendance.pause();
    this.#release();
    this.#isFirst = true; // who comes in again begins anew
    this.#lostAtMs = 0;
    this.#on.removed(why);
  }

  #subscribed({ recovered, epoch, offset, publications }) {
    const lostMs = this.#lostAtMs > 0 ? Date.now() - this.#lostAtMs : 0;
    if (this.#isFirst || !recovered) this.#beginAt(epoch, offset, lostMs);
    else if (this.#missed || this.#mayLack(publications)) this.#lookFrom(publications, offset, lostMs);
    else if (lostMs > 0 && !this.#awaitsHistory) this.#on.back({ lostMs, recovered: publications.length });
    this.#epoch = epoch;
    this.#isFirst = false;
    this.#lostAtMs = 0;
    if (this.#missed) this.#askMissed();
    else if (this.#awaitsHistory) this.#askHistory();
    this.#attendance.begin();
    this.#on.joined();
  }

  // A room may give its newest publication alone to who comes back, whatever came before that.
  #mayLack(publications) {
    return !this.#awaitsHistory && publications.length === 1 && publications[0].offset > this.#shown + 1;
  }

  #lookFrom(publications, offset, lostMs) {
    const { lostMs: before = 0, newest = 0 } = this.#missed ?? {};
    this.#missed = { lostMs: Math.max(lostMs, before), newest: publications.at(-1)?.offset ?? newest };
    this.#until = Math.max(offset, this.#missed.newest); // it may be told where the page was
    this.#isReplay = false;
    this.#awaitsHistory = true;
  }

  #beginAt(epoch, offset, lostMs) {
    this.#missed = null;
    this.#release();
    if (!this.#isFirst) this.#on.gap({ lostMs });
    this.#isReplay = epoch !== this.#epoch && this.#epoch !== '';
    if (this.#isReplay) this.#shown = 0;
    this.#until = offset;
    this.#awaitsHistory = true;
  }

  // ---- messages ----

  #published(publication) {
    if (!this.#awaitsHistory) return this.#give(publication);
    this.#held.push(publication);
    if (this.#held.length > maxHeld) this.#held.shift();
  }

  #askHistory() {
    const parameters = { channel: this.#room, limit: historyWanted, reverse: true };
    this.#client.ask(
      'history',
      parameters,
      ({ publications = [] }) => this.#historyCame(publications),
      (error) => this.#historyFailed(error),
    );
  }

  // All that came while the page was away, or the error that this cannot be had any more.
  #askMissed() {
    const { lostMs, newest } = this.#missed;
    const isOver = () => !this.#on || !this.#missed;
    const tellGap = () => {
      this.#missed = null;
      this.#on.gap({ lostMs });
      this.#askHistory();
    };
    const since = { offset: this.#shown, epoch: this.#epoch };
    this.#client.ask(
      'history',
      { channel: this.#room, limit: maxHeld, since },
      ({ publications = [] }) => {
        if (isOver()) return;
        const last = publications.at(-1)?.offset ?? 0;
        if (last < newest) return tellGap(); // there is more than fits into an answer
        this.#missed = null;
        const missed = publications.filter((one) => one.offset <= this.#until).length;
        if (lostMs > 0) this.#on.back({ lostMs, recovered: missed });
        this.#historyCame(publications.reverse());
      },
      ({ code }) => isOver() || code === own.transportClosed || tellGap(),
    );
  }

  // It may reach into what has come live by now.
  #historyCame(newestFirst) {
    if (!this.#on || !this.#awaitsHistory) return;
    const isNew = ({ offset }) => offset > this.#shown && offset <= this.#until;
    const data = newestFirst.filter(isNew).reverse().map((publication) => publication.data);
    this.#shown = Math.max(this.#shown, this.#until);
    if (this.#isReplay) this.#on.replay(data);
    else this.#on.history(data);
    this.#release();
  }

  #historyFailed({ code }) {
    if (!this.#on || !this.#awaitsHistory) return;
    if (code === own.transportClosed) return; // asked for again when the page is back
    if (!notToBeHad.includes(code)) this.#on.noHistory();
    this.#release();
  }

  #release() {
    this.#awaitsHistory = false;
    for (const publication of this.#held.splice(0)) {
      const isNew = !publication.offset || publication.offset > this.#shown;
      if (isNew) this.#give(publication);
    }
  }

  #give({ offset, data }) {
    if (offset) this.#shown = offset;
    this.#on.message(data);
  }
}
