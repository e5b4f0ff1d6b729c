// The chat page's own client (web/client.js), told by lines what to do: see tests/support/sdk.py for the lines.
//
//   node driver.mjs URL json

import { createRequire } from 'node:module';
import { Client } from '../../../../web/client.js';
import { obeyLines, say } from '../lines.mjs';

const [url] = process.argv.slice(2);
// Node has one of its own from 22 on.
const require = createRequire(new URL('../js/package.json', import.meta.url));
const WebSocket = globalThis.WebSocket ?? require('ws');

const publication = ({ offset = 0, data, info }) => ({ offset, user: info?.user, data });
const member = ({ client, user }) => ({ client, user });
const delays = { firstDelayMs: 100, maxDelayMs: 300 };

const client = new Client(
  () => url,
  {
    connecting: ({ code, reason }) => say({ event: 'connecting', code, reason }),
    connected: (context) => say({ event: 'connected', client: context.client }),
    disconnected: ({ code, reason }) => say({ event: 'disconnected', code, reason }),
  },
  { WebSocket, pingDelayMs: 2000, ...delays },
);
const subscriptions = new Map();

function subscribe({ room, recoverable, join_leave: joinLeave }) {
  const tell = (event, more) => say({ event, room, ...more });
  const on = {
    subscribed: ({ wasRecovering, recovered, epoch, offset }) =>
      tell('subscribed', { was_recovering: wasRecovering, recovered, epoch, offset }),
    unsubscribed: ({ code, reason }) => tell('unsubscribed', { code, reason }),
    publication: (context) => tell('publication', publication(context)),
    join: (info) => tell('join', member(info)),
    leave: (info) => tell('leave', member(info)),
  };
  const subscription = client.room(room, on, { recoverable, joinLeave, ...delays });
  subscriptions.set(room, subscription);
  subscription.subscribe();
}

function unsubscribe({ room }) {
  client.forget(subscriptions.get(room));
  subscriptions.delete(room);
}

async function history({ room, limit, since, reverse }) {
  const asked = { channel: room, limit, since: since ?? undefined, reverse };
  const { offset = 0, epoch, publications = [] } = await client.call('history', asked);
  return { offset, epoch, publications: publications.map(publication) };
}

async function presence({ room }) {
  const { presence: there } = await client.call('presence', { channel: room });
  return { clients: Object.values(there).map(member) };
}

async function stats({ room }) {
  const found = await client.call('presence_stats', { channel: room });
  return { clients: found.num_clients, users: found.num_users };
}

const commands = {
  connect: () => client.connect(),
  disconnect: () => client.disconnect(),
  subscribe,
  unsubscribe,
  publish: ({ room, data }) => client.publish(room, data),
  history,
  presence,
  stats,
  rpc: ({ method, data }) => client.call('rpc', { method, data }),
};

obeyLines(commands);
