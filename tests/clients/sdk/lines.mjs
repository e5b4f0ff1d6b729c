// How a driver is told what to do, and says what became of it: see tests/support/sdk.py for the lines.

import readline from 'node:readline';

export function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

// commands: verb -> what is done with the other fields of its line; fails with what has a `code`.
export function obeyLines(commands) {
  async function obey({ id, do: verb, ...rest }) {
    try {
      say({ id, ok: (await commands[verb](rest)) ?? {} });
    } catch (error) {
      say({ id, error: { code: error.code ?? 0, message: error.message ?? String(error) } });
    }
  }

  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', (line) => void obey(JSON.parse(line)));
  lines.on('close', () => process.exit(0));
}
