// Rooms over µWebSockets.js: a topic a room, published to by the app so that the sender gets its own
// message too.
'use strict';

const uWS = require('@btc-vision/uwebsockets.js');

const [host, port] = process.argv[2].split(':');
const app = uWS.App();

app.ws('/ws/*', {
  compression: uWS.DISABLED,
  maxPayloadLength: 64 * 1024,
  // The default of 64 KiB drops messages of clients that are slower for a moment.
  maxBackpressure: 1024 * 1024,
  upgrade: (response, request, context) => {
    response.upgrade(
      { room: request.getUrl() },
      request.getHeader('sec-websocket-key'),
      request.getHeader('sec-websocket-protocol'),
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  },
  open: (ws) => ws.subscribe(ws.getUserData().room),
  message: (ws, message, isBinary) => {
    app.publish(ws.getUserData().room, message, isBinary);
  },
});
app.listen(host, Number(port), (socket) => {
  if (!socket) {
    console.error(`can't listen on ${host}:${port}`);
    process.exit(1);
  }
});
