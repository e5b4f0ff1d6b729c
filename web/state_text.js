// The connection's state and what became of it, in words. States: see link.js; 'refused' is a room
// that cannot be.

const notAllowed = 103;

export function stateText(state) {
  switch (state.name) {
    case 'connected':
      return 'Connected';
    case 'reconnecting': {
      if (state.retryAtMs === null) return 'Reconnecting…';
      const seconds = Math.max(1, Math.ceil((state.retryAtMs - Date.now()) / 1000));
      return `Reconnecting in ${seconds} s`;
    }
    case 'offline':
      return 'Offline';
    case 'ended':
      return 'Disconnected';
    case 'removed':
      return 'Not in the room';
    case 'refused':
      return 'No such room';
    default:
      return 'Connecting…';
  }
}

// For screen readers, once a change: a countdown would be read out every second.
export function spokenText(state) {
  return state.name === 'reconnecting' ? 'Connection lost, reconnecting' : stateText(state);
}

export function bannerText(state) {
  switch (state.name) {
    case 'reconnecting':
      return 'The connection was lost. What you missed is fetched as soon as it is back.';
    case 'offline':
      return 'This device has no network. The page reconnects by itself.';
    case 'ended':
      return `The server closed the connection: ${state.reason || `code ${state.code}`}.`;
    case 'removed':
      if (state.code === notAllowed) return 'You may not be in this room.';
      return `You are not in this room any more: ${state.reason || `code ${state.code}`}.`;
    case 'refused':
      return state.problem;
    default:
      return '';
  }
}

export function isComingBack(state) {
  return state.name === 'reconnecting' || state.name === 'offline';
}

// On the button that ends a state sooner, or at all.
export function retryText(state) {
  if (isComingBack(state)) return 'Try now';
  return { ended: 'Connect', removed: 'Join again' }[state.name];
}

export function backText({ lostMs, recovered }) {
  const what =
    recovered === 0 ? 'nothing was missed' : `${countOf(recovered, 'message')} recovered`;
  return `Connection lost ${durationText(lostMs)}. Back: ${what}.`;
}

export function gapText({ lostMs }) {
  const missing = 'Some messages could not be recovered.';
  return lostMs > 0 ? `Connection lost ${durationText(lostMs)}. ${missing}` : missing;
}

function durationText(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 1) return 'for a moment';
  if (seconds < 100) return `for ${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `for ${minutes} min` : `for ${Math.round(minutes / 60)} h`;
}

export function countOf(count, what) {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

// 'Ana, Budi and 3 others joined'
export function movesText(names, verb) {
  const shown = names.slice(0, names.length > 3 ? 2 : 3);
  const more = names.length - shown.length;
  if (more > 0) shown.push(`${more} others`);
  const last = shown.pop();
  return `${shown.length > 0 ? `${shown.join(', ')} and ${last}` : last} ${verb}`;
}

export function failureText({ code }) {
  return code === notAllowed ? 'Not sent: you may not write here. ' : 'Not sent. ';
}
