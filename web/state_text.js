// The connection's state in words. States: see link.js; 'refused' is a room that cannot be.

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
    case 'refused':
      return state.problem;
    default:
      return '';
  }
}
