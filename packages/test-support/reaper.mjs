// Reads on stdin what a test process has started, as JSON lines [kind, pid or path, whether it exists]. When that process
// ends, however it ends, stdin closes, and the reaper removes what is left.
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const left = { process: new Set(), folder: new Set() };

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [kind, what, exists] = JSON.parse(line);
    if (exists) left[kind].add(what);
    else left[kind].delete(what);
  })
  .on('close', () => {
    for (const pid of left.process) quietly(() => process.kill(pid, 'SIGKILL'));
    for (const path of left.folder) quietly(() => rmSync(path, { recursive: true, force: true, maxRetries: 10 }));
  });

function quietly(work) {
  try {
    work();
  } catch {
    // The process or folder is gone already, or cannot be removed.
  }
}
