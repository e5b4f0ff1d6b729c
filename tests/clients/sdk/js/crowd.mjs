// Many clients of the npm package `centrifuge` in one process, as their users have them: nothing of the
// package is set but the WebSocket that Node may lack.
//
//   node crowd.mjs URL COUNT ROOMS
//
// Client n is in the room `crowd:{n % ROOMS}`. On its standard input come lines; each is answered with one line of
// JSON:
//
//   status   {"subscribed": how many are now, "returned": how many have been subscribed anew since they lost their
//             connection, "least": what the one that has the fewest publications has}
//   report   {"clients": [{"room", "log": [[what, at, ...], ...]}]}, all that each client was told, in order:
//            ["lost", at, code], ["subscribed", at, epoch, offset, was_recovering, recovered], ["unsubscribed", at, code],
//            ["got", at, offset, data]; `at` in milliseconds of the clock

import readline from 'node:readline';
import { Centrifuge } from 'centrifuge';
import WebSocket from 'ws';

const [url, count, rooms] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];

class Member {
  log = [];
  got = 0;
  lost = 0;
  returned = 0;
  isSubscribed = false;

  constructor(room) {
    this.room = room;
    const client = new Centrifuge(url, { websocket: WebSocket });
    client.on('connecting', ({ code }) => {
      if (code === 0) return; // the first connect
      this.lost += 1;
      this.isSubscribed = false;
      this.note('lost', code);
    });
    client.on('disconnected', ({ code }) => this.note('disconnected', code));
    const subscription = client.newSubscription(room, { recoverable: true });
    subscription.on('subscribed', ({ streamPosition, wasRecovering, recovered }) => {
      this.isSubscribed = true;
      this.returned = this.lost;
      const { epoch, offset } = streamPosition;
      this.note('subscribed', epoch, offset, wasRecovering, recovered);
    });
    subscription.on('unsubscribed', ({ code }) => this.note('unsubscribed', code));
    subscription.on('publication', ({ offset, data }) => {
      this.got += 1;
      this.note('got', offset, data);
    });
    subscription.subscribe();
    client.connect();
  }

  note(what, ...more) {
    this.log.push([what, Date.now(), ...more]);
  }
}

const members = Array.from({ length: count }, (_, n) => new Member(`crowd:${n % rooms}`));

const answers = {
  status: () => ({
    subscribed: members.filter(({ isSubscribed }) => isSubscribed).length,
    returned: members.filter(({ lost, returned }) => lost > 0 && returned === lost).length,
    least: members.reduce((least, { got }) => Math.min(least, got), Infinity),
  }),
  report: () => ({ clients: members.map(({ room, log }) => ({ room, log })) }),
};

const lines = readline.createInterface({ input: process.stdin });
lines.on('line', (line) => process.stdout.write(`${JSON.stringify(answers[line]())}\n`));
lines.on('close', () => process.exit(0));
