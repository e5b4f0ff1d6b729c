// Codes of Centrifugo's protocol that say what a client does next, and those that a client gives itself.

export const own = {
  called: 0, // the page asked for it
  transportClosed: 1,
  noPing: 2,
  noReply: 3,
  badReply: 4,
};

const tooLargeOnTheWire = 1009; // RFC 6455, 7.4.1: the same message would be refused again

// Of a close or a disconnect: whether the client stays away.
export function endsForGood(code) {
  return (
    code === tooLargeOnTheWire || (code >= 3500 && code < 4000) || (code >= 4500 && code < 5000)
  );
}

// Of an unsubscribe that the server pushes: whether the client stays out of the room.
export function endsMembership(code) {
  return code < 2500;
}

// What a command failed with. `code` is the protocol's from 100 on, below it one of `own`.
export class CommandError extends Error {
  constructor({ code = 0, message = '', temporary = false }) {
    super(message || `error ${code}`);
    this.code = code;
    this.mayPass = code < 100 || temporary;
  }
}
