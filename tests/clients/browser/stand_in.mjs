// A room that stands in for the server's, in the page's own WebSocket: it speaks Centrifugo's
// protocol in JSON, and does on command what a cluster does on a bad day.

const historyMax = 128;

export class StandInRoom {
  epoch = 'e1';
  offset = 0;
  connections = 0;
  asked = []; // what each subscribe asked for, in order
  people = {}; // the presence
  onHistory = () => {}; // what happens while it is read; may return what to reply instead, or 'nothing'
  keepsNewest = false; // who comes back is given the newest publication alone
  #history = []; // {offset, data}: what can be recovered
  #floor = 0; // behind which it has all
  #takers = new Set();
  #swallow = 0;
  #refuse = 0;

  // Every WebSocket that the page opens is one of this room's.
  async of(page) {
    await page.routeWebSocket(/\/connection\/websocket/, (socket) => this.#opened(socket));
  }

  #opened(socket) {
    this.connections += 1;
    socket.onMessage((message) => {
      for (const line of message.split('\n')) this.#came(socket, JSON.parse(line));
    });
    socket.onClose(() => {
      this.#takers.delete(socket);
      socket.close();
    });
  }

  #came(socket, { id, ...command }) {
    const reply = (content) => socket.send(JSON.stringify({ id, ...content }));
    if (command.connect) {
      reply({ connect: { client: `stand/${this.connections}`, ping: 25, pong: true } });
    } else if (command.subscribe) {
      this.#takers.add(socket);
      reply({ subscribe: this.#subscribed(command.subscribe) });
    } else if (command.history) {
      const instead = this.onHistory();
      if (instead === 'nothing') return;
      if (instead) return reply(instead);
      const { since, limit } = command.history;
      if (since && since.offset < this.#floor) return reply({ error: { code: 112, message: 'unrecoverable position' } });
      const publications = since
        ? this.#history.filter((one) => one.offset > since.offset).slice(0, limit)
        : [...this.#history].reverse().slice(0, limit);
      reply({ history: { epoch: this.epoch, offset: this.offset, publications } });
    } else if (command.presence) {
      reply({ presence: { presence: this.people } });
    } else if (command.publish && this.#refuse > 0) {
      this.#refuse -= 1;
      reply({ error: { code: 100, message: 'internal server error', temporary: true } });
    } else if (command.publish) {
      this.publish(command.publish.data);
      reply({ publish: {} });
    }
  }

  #subscribed({ recover = false, epoch, offset, ...rest }) {
    this.asked.push({ recover, epoch, offset, ...rest });
    const recovered = recover && epoch === this.epoch && (offset >= this.#floor || this.keepsNewest);
    const missed = recovered ? this.#history.filter((one) => one.offset > offset) : [];
    const publications = this.keepsNewest ? missed.slice(-1) : missed;
    return {
      epoch: this.epoch,
      offset: this.offset,
      recoverable: true,
      positioned: true,
      was_recovering: recover,
      recovered,
      publications,
    };
  }

  #push(content) {
    const text = JSON.stringify({ push: { channel: 'stand in', ...content } });
    for (const socket of this.#takers) socket.send(text);
  }

  publish(data) {
    this.offset += 1;
    const publication = { offset: this.offset, data };
    this.#history.push(publication);
    if (this.#history.length > historyMax) this.#floor = this.#history.shift().offset;
    if (this.#swallow > 0) this.#swallow -= 1;
    else this.#push({ pub: publication });
  }

  // To who is there now, and nobody else.
  publishOutOfOrder(data) {
    this.#push({ pub: { data } });
  }

  say(body) {
    const id = `${this.epoch}-${this.offset}-${body}`;
    this.publish({ id, name: 'Budi', body, at: Date.now() });
  }

  // A user joins or leaves, which takes a place in the order.
  move(kind, client, user) {
    this.offset += 1;
    if (kind === 'join') this.people[client] = { client, user };
    else delete this.people[client];
    this.#push({ [kind]: { info: { client, user } } });
  }

  // The next publications do not reach who is connected.
  loseNext(count) {
    this.#swallow = count;
  }

  refuseNext(count) {
    this.#refuse = count;
  }

  // Who is connected is out of the room.
  unsubscribe(code, reason) {
    this.#push({ unsubscribe: { code, reason } });
    this.#takers.clear();
  }

  // As after a failover: what was published stays, under another epoch.
  renumber(epoch) {
    this.epoch = epoch;
  }

  // As of a Redis that came back empty.
  forget(epoch) {
    this.epoch = epoch;
    this.offset = 0;
    this.forgetHistory();
  }

  forgetHistory() {
    this.#history = [];
    this.#floor = this.offset;
  }

  disconnect(code = 3001, reason = 'shutdown') {
    for (const socket of this.#takers) socket.close({ code, reason });
    this.#takers.clear();
  }
}
