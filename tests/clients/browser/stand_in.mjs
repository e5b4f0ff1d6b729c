// A room that stands in for the server's, in the page's own WebSocket: it speaks the plain dialect
// with meta=true, and does on command what a cluster does on a bad day.

const historyMax = 128;

export class StandInRoom {
  epoch = 'e1';
  offset = 0;
  urls = []; // of all connections, in order
  #history = []; // {offset, text}: what can be recovered
  #takers = new Set();
  #swallow = 0;
  #refuse = 0;

  // Every WebSocket that the page opens is one of this room's.
  async of(page) {
    await page.routeWebSocket(/\/ws\//, (socket) => this.#opened(socket));
  }

  get last() {
    return new URL(this.urls.at(-1)).searchParams;
  }

  #opened(socket) {
    this.urls.push(socket.url());
    const query = new URL(socket.url()).searchParams;
    const since = query.get('since')?.split(':');
    const from = since ? Number(since[1]) : this.offset - Number(query.get('history') ?? 0);
    const kept = this.offset - this.#history.length;
    const recovered = since !== undefined && since[0] === this.epoch && from >= kept;
    const start = since && !recovered ? this.offset : Math.max(from, kept);
    this.#sendJoin(socket, start, recovered);
    for (const { offset, text } of this.#history) if (offset > start) socket.send(text);
    this.#takers.add(socket);
    socket.onMessage((message) => this.#came(socket, message));
    socket.onClose(() => {
      this.#takers.delete(socket);
      socket.close();
    });
  }

  #sendJoin(socket, offset, recovered) {
    const join = { room: 'any', epoch: this.epoch, offset, recovered };
    socket.send(JSON.stringify({ join }));
  }

  #came(socket, message) {
    if (this.#refuse > 0) {
      this.#refuse -= 1;
      socket.send(JSON.stringify({ error: { code: 'unavailable', message: 'try again' } }));
    } else {
      this.publish({ data: message });
    }
  }

  // {data: text}, {data64: base64}, {joined} or {left}
  publish(content) {
    this.offset += 1;
    const text = JSON.stringify({ epoch: this.epoch, offset: this.offset, ...content });
    this.#history = [...this.#history, { offset: this.offset, text }].slice(-historyMax);
    if (this.#swallow > 0) this.#swallow -= 1;
    else for (const socket of this.#takers) socket.send(text);
  }

  say(body) {
    const id = `${this.epoch}-${this.offset}-${body}`;
    this.publish({ data: JSON.stringify({ id, name: 'Budi', body, at: Date.now() }) });
  }

  // The next publications do not reach who is connected.
  loseNext(count) {
    this.#swallow = count;
  }

  refuseNext(count) {
    this.#refuse = count;
  }

  // The stream of those who are connected goes on from here, with or without a loss.
  break(recovered, epoch = this.epoch) {
    this.epoch = epoch;
    for (const socket of this.#takers) this.#sendJoin(socket, this.offset, recovered);
  }

  // As after a failover: what was published stays, under another epoch.
  renumber(epoch) {
    this.epoch = epoch;
    this.#history = this.#history.map(({ offset, text }) => ({
      offset,
      text: JSON.stringify({ ...JSON.parse(text), epoch }),
    }));
  }

  // As of a Redis that came back empty.
  forget(epoch) {
    this.epoch = epoch;
    this.offset = 0;
    this.#history = [];
  }

  disconnect() {
    for (const socket of this.#takers) socket.close({ code: 1012 });
    this.#takers.clear();
  }
}
