// Rooms over Socket.IO: WebSocket only, the room named when connecting, messages as the event "m".
'use strict';

const { createServer } = require('node:http');
const { Server } = require('socket.io');

const [host, port] = process.argv[2].split(':');
const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false });

io.on('connection', (socket) => {
  const { room } = socket.handshake.auth;
  socket.join(room);
  socket.on('m', (data) => io.to(room).emit('m', data));
});
http.listen({ host, port: Number(port), backlog: 1024 });
