// The npm package `centrifuge`, told by lines what to do: see tests/support/sdk.py for the lines.
//
//   node driver.mjs URL json|protobuf [http_stream|sse EMULATION-URL]

import { Centrifuge as JsonClient } from 'centrifuge';
import { Centrifuge as ProtobufClient } from 'centrifuge/build/protobuf';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { obeyLines, say } from '../lines.mjs';

const [url, format, transport, emulationEndpoint] = process.argv.slice(2);
const isProtobuf = format === 'protobuf';

// With Protobuf the data are bytes, which are JSON to these tests, or else told in base64.
function encoded(data) {
  return isProtobuf ? new TextEncoder().encode(JSON.stringify(data)) : data;
}

function decoded(data) {
  if (!isProtobuf) return { data };
  const bytes = Buffer.from(data);
  try {
    return { data: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch {
    return { base64: bytes.toString('base64') };
  }
}

const publication = ({ offset = 0, data, info }) => ({ offset, user: info?.user, ...decoded(data) });
// With JSON it is a value, with Protobuf bytes.
const info = (of) => (of && isProtobuf ? decoded(of).data : of);
const member = ({ client, user, connInfo }) => ({ client, user, info: info(connInfo) });

// What is asked for when the SDK wants a token, by room; of the client itself by no room.
const tokens = new Map();

const tokenOf = (room) => async () => {
  say({ event: 'asked', room });
  return tokens.get(room);
};

const endpoint = transport ? [{ transport, endpoint: url }] : url;
const client = new (isProtobuf ? ProtobufClient : JsonClient)(endpoint, {
  websocket: WebSocket,
  eventsource: EventSource,
  ...(emulationEndpoint && { emulationEndpoint }),
  minReconnectDelay: 50,
  maxReconnectDelay: 300,
  maxServerPingDelay: 2000,
  ...(process.env.SDK_HAS_TOKEN && { getToken: tokenOf('') }),
});
client.on('connecting', ({ code, reason }) => say({ event: 'connecting', code, reason }));
client.on('connected', (context) => say({ event: 'connected', client: context.client }));
client.on('disconnected', ({ code, reason }) => say({ event: 'disconnected', code, reason }));

// Of subscriptions that the server began.
client.on('subscribed', ({ channel: room, wasRecovering, recovered, streamPosition }) =>
  say({
    event: 'server_subscribed',
    room,
    was_recovering: wasRecovering,
    recovered,
    offset: streamPosition?.offset ?? 0,
    epoch: streamPosition?.epoch ?? '',
  }),
);
client.on('unsubscribed', ({ channel: room }) => say({ event: 'server_unsubscribed', room }));
client.on('publication', ({ channel: room, ...context }) =>
  say({ event: 'server_publication', room, ...publication(context) }),
);

function subscribe({ room, recoverable, join_leave: joinLeave, delta }) {
  const subscription = client.newSubscription(room, {
    recoverable,
    joinLeave,
    delta: delta || undefined,
    ...(tokens.has(room) && { getToken: tokenOf(room) }),
  });
  subscription.on('subscribed', ({ wasRecovering, recovered, streamPosition }) =>
    say({
      event: 'subscribed',
      room,
      was_recovering: wasRecovering,
      recovered,
      offset: streamPosition?.offset ?? 0,
      epoch: streamPosition?.epoch ?? '',
    }),
  );
  subscription.on('unsubscribed', ({ code, reason }) =>
    say({ event: 'unsubscribed', room, code, reason }),
  );
  subscription.on('publication', (context) =>
    say({ event: 'publication', room, ...publication(context) }),
  );
  subscription.on('join', ({ info }) => say({ event: 'join', room, ...member(info) }));
  subscription.on('leave', ({ info }) => say({ event: 'leave', room, ...member(info) }));
  subscription.subscribe();
}

function unsubscribe({ room }) {
  const subscription = client.getSubscription(room);
  subscription.unsubscribe();
  client.removeSubscription(subscription);
}

async function history({ room, limit, since, reverse }) {
  const found = await client.history(room, { limit, since, reverse });
  const { offset, epoch } = found;
  return { offset, epoch, publications: found.publications.map(publication) };
}

async function presence({ room }) {
  const { clients } = await client.presence(room);
  return { clients: Object.values(clients).map(member) };
}

async function stats({ room }) {
  const { numClients, numUsers } = await client.presenceStats(room);
  return { clients: numClients, users: numUsers };
}

const commands = {
  token: ({ room, token }) => void tokens.set(room, token),
  connect: () => client.connect(),
  disconnect: () => client.disconnect(),
  subscribe,
  unsubscribe,
  publish: ({ room, data }) => client.publish(room, encoded(data)),
  history,
  presence,
  stats,
  rpc: async ({ method, data }) => decoded((await client.rpc(method, encoded(data))).data),
};

obeyLines(commands);
