// Rooms over Socket.IO: WebSocket only, the room named when connecting, messages as the event "m".
// node server.js HOST:PORT [redis://HOST:PORT]: with the latter, over its Redis adapter.
'use strict';

const { createServer } = require('node:http');
const { Server } = require('socket.io');

async function adapterFor(url) {
  const { createAdapter } = require('@socket.io/redis-adapter');
  const { createClient } = require('redis');
  const publishing = createClient({ url });
  const subscribed = publishing.duplicate();
  await Promise.all([publishing.connect(), subscribed.connect()]);
  return createAdapter(publishing, subscribed);
}

async function main([address, redis]) {
  const [host, port] = address.split(':');
  const http = createServer();
  const io = new Server(http, { transports: ['websocket'], serveClient: false });
  if (redis) io.adapter(await adapterFor(redis));

  io.on('connection', (socket) => {
    const { room } = socket.handshake.auth;
    socket.join(room);
    socket.on('m', (data) => io.to(room).emit('m', data));
  });
  http.listen({ host, port: Number(port), backlog: 1024 });
}

main(process.argv.slice(2));
