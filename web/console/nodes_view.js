// The nodes of the cluster, and the last hour of the one that serves the page.

import { byId, drawFigures, element, nameOf, visible } from './dom.js';
import {
  bytes,
  count,
  drainOf,
  duration,
  limitsOf,
  nearness,
  nearPart,
  percent,
  plural,
  rate,
  stateOf,
} from './figures.js';
import { sparkline } from './sparkline.js';

function sum(nodes, figure) {
  return nodes.reduce((all, node) => all + (node[figure] ?? 0), 0);
}

function drawTotals(nodes) {
  const ready = nodes.filter((node) => stateOf(node).word === 'ready').length;
  drawFigures(byId('totals'), [
    ['Ready', `${ready} of ${plural(nodes.length, 'node')}`],
    ['Connections', count(sum(nodes, 'connections'))],
    ['Publications a second', rate(sum(nodes, 'publications_per_second'))],
    ['Deliveries a second', rate(sum(nodes, 'deliveries_per_second'))],
  ]);
}

// Near a limit it is red, and says so.
function limitLine({ name, part }) {
  const near = nearness(part);
  const words = `${percent(part)}${near && ` (${near})`}`;
  // with both bounds at one place there is nothing between good and bad
  const bound = nearPart - 0.001;
  const meter = element('meter', { min: 0, max: 1, low: bound, high: bound, optimum: 0 });
  meter.value = part;
  meter.setAttribute('aria-label', `${name}: ${words}`);
  return element(
    'li',
    { className: near ? 'near' : '' },
    element('span', {}, name),
    meter,
    element('span', { className: 'number' }, words),
  );
}

function drainLine({ closed, all }) {
  const bar = element('progress', { max: Math.max(all, 1), value: all === 0 ? 1 : closed });
  bar.setAttribute('aria-label', 'Drain');
  return element('p', {}, bar, ` ${count(closed)} of ${plural(all, 'connection')} closed`);
}

function cardOf(node, isOwn) {
  const state = stateOf(node);
  const figures = element('dl', { className: 'figures' });
  drawFigures(figures, [
    ['Version', visible(node.version ?? '')],
    ['Up for', duration(Date.now() / 1000 - node.started)],
    ['Connections', count(node.connections)],
    ['Rooms', count(node.rooms)],
    ['Publications/s', rate(node.publications_per_second)],
    ['Deliveries/s', rate(node.deliveries_per_second)],
  ]);
  const card = element(
    'li',
    { className: `card ${state.kind}` },
    element('h3', {}, nameOf(node.address), isOwn ? ' (this one)' : ''),
    element('p', { className: 'hint' }, nameOf(node.id)),
    element('p', { className: 'state' }, state.word, state.reason && `: ${visible(state.reason)}`),
    figures,
  );
  const limits = limitsOf(node).map(limitLine);
  if (limits.length) card.append(element('ul', { className: 'limits' }, ...limits));
  const drain = drainOf(node);
  if (drain) card.append(drainLine(drain));
  const moved = node.closed?.rebalance ?? 0;
  if (moved) card.append(element('p', {}, `${plural(moved, 'connection')} moved for the balance`));
  return card;
}

export function drawNodes({ node: own, fault, nodes }) {
  byId('nodes-note').textContent = fault && `${visible(fault)}: others are shown as they were before.`;
  const sorted = [...nodes].sort((a, b) => (a.address < b.address ? -1 : 1));
  drawTotals(sorted);
  byId('node-list').replaceChildren(...sorted.map((node) => cardOf(node, node.id === own)));
}

const graphs = [
  ['connections', 'Connections', count],
  ['publications', 'Publications/s', rate],
  ['deliveries', 'Deliveries/s', rate],
  ['sent_bytes', 'Sent/s', bytes],
  ['rooms', 'Rooms', count],
  ['cpu', 'CPU (cores)', (cores) => cores.toFixed(2)],
  ['memory_bytes', 'Memory', bytes],
];

function graphOf(samples, name, format) {
  const known = samples.filter((value) => value !== null);
  const last = samples.at(-1) ?? null;
  const now = last === null ? 'nothing yet' : format(last);
  const most = known.length ? `, at most ${format(Math.max(...known))}` : '';
  return element(
    'li',
    {},
    element('span', { className: 'name' }, name),
    sparkline(samples, `${name} in the last hour: now ${now}${most}`),
    element('span', { className: 'hint' }, `${now}${most}`),
  );
}

export function drawHour({ node, hour }) {
  byId('hour-node').textContent = visible(node);
  byId('graphs').replaceChildren(
    ...graphs.map(([figure, name, format]) => graphOf(hour[figure], name, format)),
  );
}
