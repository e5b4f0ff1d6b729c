// Asks again and again while somebody looks at the page, one request at a time.
export class Poll {
  #task;
  #everyMs;
  #timer = 0;
  #isRunning = false;
  #isOver = false;

  constructor(task, everyMs) {
    this.#task = task;
    this.#everyMs = everyMs;
  }

  async run() {
    clearTimeout(this.#timer);
    if (this.#isOver || this.#isRunning) return;
    this.#isRunning = true;
    if (!document.hidden) await this.#task();
    this.#isRunning = false;
    if (!this.#isOver) this.#timer = setTimeout(() => this.run(), this.#everyMs);
  }

  end() {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}
