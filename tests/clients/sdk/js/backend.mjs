// A backend as docs/tokens.md has it: gives out tokens that the npm package `jsonwebtoken` signs.
//
//   node backend.mjs ALGORITHM KEY-FILE
//
// Prints the port it listens on. `GET /token?user=ann[&room=$r][&lasts=SECONDS][&name=Ann]` answers with a token.

import fs from 'node:fs';
import http from 'node:http';
import jwt from 'jsonwebtoken';

const [algorithm, keyFile] = process.argv.slice(2);
const key = fs.readFileSync(keyFile, 'utf8').trim();

const server = http.createServer((request, response) => {
  const asked = new URL(request.url, 'http://backend').searchParams;
  const claims = { sub: asked.get('user') };
  if (asked.has('room')) claims.channel = asked.get('room');
  if (asked.has('name')) claims.info = { name: asked.get('name') };
  const expiresIn = Number(asked.get('lasts') ?? 3600);
  response.end(jwt.sign(claims, key, { algorithm, expiresIn }));
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
