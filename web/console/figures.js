// What figures mean, in words. No page is needed for it.

export const nearPart = 0.85; // as the alert on headroom has it

// '' while there is room.
export function nearness(part) {
  if (part >= 1) return 'full';
  return part >= nearPart ? 'near limit' : '';
}

const limitNames = {
  connections: 'Connections',
  memory: 'Memory',
  rooms: 'Rooms',
  waiting: 'Waiting for clients',
};

// The limits of a node that it tells of: [{name, part}], in an order of their own.
export function limitsOf(node) {
  const used = node.used ?? {};
  return Object.keys(limitNames)
    .filter((key) => typeof used[key] === 'number')
    .map((key) => ({ name: limitNames[key], part: used[key] }));
}

// {word, kind, reason}: kind is good, busy or bad.
export function stateOf(node) {
  const reason = node.reason ?? '';
  if (node.state === 'draining') return { word: 'draining', kind: 'busy', reason: '' };
  if (node.ready === false) return { word: 'not ready', kind: 'bad', reason };
  if (node.state !== 'ready') return { word: node.state, kind: 'busy', reason };
  return reason === ''
    ? { word: 'ready', kind: 'good', reason }
    : { word: 'ready, but nothing can be published', kind: 'bad', reason };
}

// How far a drain is: {closed, all}, or null where there is none.
export function drainOf(node) {
  if (node.state !== 'draining' || !node.closed) return null;
  return { closed: node.closed.drain, all: node.closed.drain + node.connections };
}

export function count(number) {
  return Math.round(number).toLocaleString('en-US');
}

export function rate(number) {
  return number < 10 ? number.toLocaleString('en-US', { maximumFractionDigits: 1 }) : count(number);
}

export function percent(part) {
  return `${Math.floor(part * 100)} %`;
}

export function bytes(number) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let left = number;
  for (; left >= 1024 && unit < units.length - 1; unit += 1) left /= 1024;
  return `${unit === 0 ? Math.round(left) : left.toFixed(1)} ${units[unit]}`;
}

export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 48 * 3600) return `${Math.floor(whole / 3600)} h`;
  return `${Math.floor(whole / 86400)} days`;
}

export function plural(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

// Runs of samples without a gap: [[{x, y}]], x from 0 to width for `slots` samples that end now, y from 0 (the
// highest) to height.
export function lines(samples, { slots, width, height }) {
  const most = Math.max(...samples.filter((value) => value !== null), 0) || 1;
  const step = width / (slots - 1);
  const first = slots - samples.length;
  const runs = [];
  let run = null;
  samples.forEach((value, index) => {
    if (value === null) run = null;
    else if (run === null) runs.push((run = []));
    run?.push({ x: (first + index) * step, y: height - (value / most) * height });
  });
  return runs;
}
