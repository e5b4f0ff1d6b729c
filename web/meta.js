// What the server sends with meta=true (docs/protocol.md): JSON text, the first one a join.

// {join: {epoch, offset, recovered}}: publications that follow it continue from there.
// {publication: {epoch, offset, data}}: data as a client without meta gets it, string or
//   ArrayBuffer; undefined where it is not a message (someone came or went). Without epoch and offset it has
//   no place in the order.
// {error: {code, message}}: a message of this client was not taken.
// Null: none of them.
export function readFrame(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { join, error, epoch, offset } = value;
  if (join) return isPosition(join) ? { join } : null;
  if (error) return { error };
  if (isPosition(value)) return { publication: { epoch, offset, data: dataOf(value) } };
  const data = epoch === undefined && offset === undefined ? dataOf(value) : undefined;
  return data === undefined ? null : { publication: { data } };
}

function isPosition({ epoch, offset }) {
  return typeof epoch === 'string' && epoch !== '' && Number.isSafeInteger(offset) && offset >= 0;
}

function dataOf({ data, data64 }) {
  if (typeof data64 !== 'string') return typeof data === 'string' ? data : undefined;
  try {
    return Uint8Array.from(atob(data64), (char) => char.charCodeAt(0)).buffer;
  } catch {
    return undefined;
  }
}
