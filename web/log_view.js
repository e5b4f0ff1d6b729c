// The list of messages. Text goes in as text only: nothing that a member sends is parsed as HTML.

const maxMessages = 500;
const atBottomPx = 60;
const sameGroupMs = 5 * 60_000;
const hues = 8;

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export class LogView {
  #scroller;
  #list;
  #pendingList;
  #newer;
  #empty;
  #queue = []; // drawn once a frame: a flood must not cost a layout a message
  #drawing = 0;
  #pending = new Map(); // id -> item, in the order of sending
  #last = null; // the newest shown message, for grouping
  #below = 0;

  constructor({ scroller, list, pendingList, newer, empty }) {
    this.#scroller = scroller;
    this.#list = list;
    this.#pendingList = pendingList;
    this.#newer = newer;
    this.#empty = empty;
    const onScroll = () => this.#atBottom() && this.#clearBelow();
    scroller.addEventListener('scroll', onScroll, { passive: true });
    newer.addEventListener('click', () => this.toBottom());
    document.addEventListener('visibilitychange', () => this.#draw());
    // A phone's keyboard, or a longer draft, must not cover the newest message.
    let height = 0;
    new ResizeObserver(() => {
      const shrunkBy = height - scroller.clientHeight;
      height = scroller.clientHeight;
      if (this.#atBottom(Math.max(0, shrunkBy))) this.toBottom();
    }).observe(scroller);
  }

  clear() {
    this.#queue = [];
    this.#pending.clear();
    this.#last = null;
    this.#list.replaceChildren();
    this.#pendingList.replaceChildren();
    this.#empty.hidden = false;
    this.#clearBelow();
  }

  add(message) {
    this.#pending.get(message.id)?.remove();
    this.#pending.delete(message.id);
    this.#enqueue({ message });
  }

  // kind: a class for it besides. A note right behind another one of the same group takes its place.
  addNote(text, { kind = '', group = '' } = {}) {
    this.#enqueue({ note: text, kind, group });
  }

  // A message of one's own that the room has not given back yet.
  addPending(message) {
    this.#draw();
    const item = messageItem(message, this.#pending.size > 0 || this.#follows(message));
    item.classList.add('pending');
    this.#pending.set(message.id, item);
    this.#pendingList.append(item);
    this.#empty.hidden = true;
    this.toBottom();
  }

  markSending(id) {
    const item = this.#pending.get(id);
    item?.classList.remove('failed');
    item?.querySelector('.failure')?.remove();
  }

  markFailed(id, why, retry) {
    const item = this.#pending.get(id);
    if (!item || item.classList.contains('failed')) return;
    const stay = this.#atBottom();
    item.classList.add('failed');
    const button = element('button', 'retry', 'Send again');
    button.type = 'button';
    button.addEventListener('click', retry);
    const failure = element('p', 'failure', why);
    failure.append(button);
    item.append(failure);
    if (stay) this.toBottom();
  }

  toBottom() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#clearBelow();
  }

  #enqueue(entry) {
    this.#queue.push(entry);
    if (this.#queue.length > maxMessages) this.#queue.shift();
    if (this.#drawing) return;
    // No animation frames come while the page is hidden.
    this.#drawing = document.hidden
      ? setTimeout(() => this.#draw(), 250)
      : requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#drawing = 0;
    if (this.#queue.length === 0) return;
    const stay = this.#atBottom();
    const items = document.createDocumentFragment();
    for (const { message, note, kind, group } of this.#queue) {
      const item = message
        ? messageItem(message, this.#follows(message))
        : noteItem(note, kind, group);
      const before = items.lastElementChild ?? this.#list.lastElementChild;
      if (group && before?.dataset.group === group) before.remove();
      items.append(item);
      this.#last = message ?? null;
      if (message && !stay && !message.mine) this.#below += 1;
    }
    this.#queue = [];
    this.#list.append(items);
    while (this.#list.childElementCount > maxMessages) this.#list.firstElementChild.remove();
    this.#empty.hidden = true;
    if (stay) this.toBottom();
    else this.#showBelow();
  }

  #follows(message) {
    const last = this.#last;
    return (
      last !== null &&
      (last.kind === 'chat') === (message.kind === 'chat') &&
      last.mine === message.mine &&
      last.name === message.name &&
      Math.abs(message.at - last.at) < sameGroupMs
    );
  }

  #atBottom(slackPx = 0) {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < atBottomPx + slackPx;
  }

  #showBelow() {
    this.#newer.hidden = this.#below === 0;
    const what = this.#below === 1 ? 'message' : 'messages';
    this.#newer.textContent = `${this.#below} new ${what} ↓`;
  }

  #clearBelow() {
    this.#below = 0;
    this.#newer.hidden = true;
  }
}

function messageItem(message, follows) {
  const item = element('li', message.kind === 'chat' ? 'message' : 'message foreign');
  item.classList.toggle('mine', message.mine);
  item.classList.toggle('follows', follows);
  if (message.kind === 'chat') {
    item.dataset.id = message.id;
    item.classList.add(`hue-${hueOf(message.name)}`);
  }

  const avatar = element('span', 'avatar', initialOf(message));
  avatar.setAttribute('aria-hidden', 'true');

  const sender = element('p', 'sender');
  sender.append(element('bdi', 'name', message.kind === 'chat' ? message.name : 'another client'));

  const text = element('span', 'text');
  appendWithLinks(text, message.body);

  const bubble = element('div', 'bubble');
  bubble.dir = 'auto';
  bubble.append(text, timeElement(message.at));
  item.append(avatar, sender, bubble);
  return item;
}

function noteItem(text, kind, group) {
  const item = element('li', `note ${kind}`.trim(), text);
  if (group) item.dataset.group = group;
  return item;
}

function timeElement(atMs) {
  const date = new Date(atMs);
  const today = date.toDateString() === new Date().toDateString();
  const time = element('time', '', (today ? timeOfDay : dayAndTime).format(date));
  time.dateTime = date.toISOString();
  time.dir = 'ltr';
  time.title = dayAndTime.format(date);
  return time;
}

function appendWithLinks(parent, body) {
  let from = 0;
  for (const match of body.matchAll(/https?:\/\/[^\s<>"'`]*[^\s<>"'`.,;:!?)\]}]/g)) {
    if (!URL.canParse?.(match[0])) continue;
    const link = element('a', '', match[0]);
    link.href = match[0];
    link.target = '_blank';
    link.rel = 'noopener noreferrer nofollow';
    parent.append(body.slice(from, match.index), link);
    from = match.index + match[0].length;
  }
  parent.append(body.slice(from));
}

function initialOf(message) {
  if (message.kind !== 'chat') return '·';
  return Array.from(message.name)[0].toUpperCase();
}

export function hueOf(name) {
  let hash = 7;
  for (const char of name) hash = (hash * 31 + char.codePointAt(0)) >>> 0;
  return hash % hues;
}

function element(tag, className, text = '') {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
