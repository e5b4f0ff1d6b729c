// A backend as docs/hooks.md has it, with nothing but Node's own modules: answers Canang's hooks, and whatever is not
// signed with 401.
//
//   node hook_backend.mjs SECRET
//
// Prints the port it listens on. Its rules are those of hook_backend.py.

import crypto from 'node:crypto';
import http from 'node:http';

const [secret] = process.argv.slice(2);

function isFromCanang(headers, body) {
  const at = headers['x-canang-timestamp'] ?? '';
  const wanted = `v1=${crypto.createHmac('sha256', secret).update(`${at}.`).update(body).digest('hex')}`;
  const given = Buffer.from(headers['x-canang-signature'] ?? '');
  return (
    Math.abs(Date.now() / 1000 - Number(at)) < 300 &&
    given.length === wanted.length &&
    crypto.timingSafeEqual(given, Buffer.from(wanted))
  );
}

const events = [];
const hooks = {
  connect: () => ({ result: { user: 'ann', info: { name: 'Ann' }, channels: ['news'] } }),
  subscribe: ({ user, channel }) =>
    channel.startsWith('secret')
      ? { error: { code: 1000, message: `${user} is no member` } }
      : { result: { info: { role: 'guest' } } },
  publish: ({ user, data }) => {
    if (data === 'spam') return { disconnect: { code: 4500, reason: 'no spam' } };
    if (data === 'bad') return { error: { code: 1001, message: 'language' } };
    return { result: { data: { by: user, said: data } } };
  },
  rpc: ({ method, data }) =>
    method === 'sum'
      ? { result: { data: data.reduce((sum, one) => sum + one, 0) } }
      : { error: { code: 1002, message: 'no such method' } },
  disconnect: (told) => events.push(...told.events) && {},
  rooms: (told) => events.push(...told.events) && {},
};

const server = http.createServer(async (request, response) => {
  if (request.method === 'GET') {
    response.end(JSON.stringify(events)); // for the test
    return;
  }
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts);
  if (!isFromCanang(request.headers, body)) {
    response.writeHead(401).end();
    return;
  }
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(hooks[request.url.slice(1)](JSON.parse(body))));
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
