// A redis-server of its own for a test.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

// Its URL; `ends` gets what ends it.
export async function startRedis(ends) {
  const directory = mkdtempSync(path.join(tmpdir(), 'canang-redis-'));
  const probe = net.createServer();
  await once(probe.listen(0, '127.0.0.1'), 'listening');
  const { port } = probe.address();
  await new Promise((done) => probe.close(done));
  const options = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', directory];
  const child = spawn('redis-server', options.map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  ends.push(async () => {
    const gone = once(child, 'exit');
    kill();
    await gone;
    process.off('exit', kill);
    rmSync(directory, { recursive: true, force: true });
  });
  let said = '';
  await new Promise((ready) => {
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      said += chunk;
      if (said.includes('Ready to accept connections')) ready();
    });
  });
  return `redis://127.0.0.1:${port}`;
}
