// Rooms over ws: a set of clients a room, and a loop that sends each message to all of them, as in
// the library's own broadcast example.
'use strict';

const { WebSocketServer, WebSocket } = require('ws');

const [host, port] = process.argv[2].split(':');
const rooms = new Map();
const server = new WebSocketServer({ host, port: Number(port), backlog: 1024 });

server.on('connection', (client, request) => {
  const name = request.url;
  let room = rooms.get(name);
  if (!room) rooms.set(name, (room = new Set()));
  room.add(client);
  client.on('error', () => {});
  client.on('message', (data, isBinary) => {
    for (const member of room) {
      if (member.readyState === WebSocket.OPEN) member.send(data, { binary: isBinary });
    }
  });
  client.on('close', () => {
    room.delete(client);
    if (room.size === 0 && rooms.get(name) === room) rooms.delete(name);
  });
});
