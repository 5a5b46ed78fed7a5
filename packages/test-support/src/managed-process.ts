import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** How a process ended: with an exit code or by a signal. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that a test has started. It never outlives the test run, even one that is killed. */
export interface ManagedProcess {
  readonly pid: number;
  /** The lines of stdout and stderr so far. */
  readonly lines: readonly string[];
  readonly running: boolean;
  readonly exited: Promise<ProcessEnd>;
  /** Resolves when it has ended and `lines` is complete. */
  readonly closed: Promise<ProcessEnd>;
  /**
   * The first line, printed already or still to come, that the test accepts.
   * @throws when the process ends without such a line, or when the limit passes
   */
  waitForLine(accepts: (line: string) => boolean, limitMs?: number): Promise<string>;
  /** Sends a signal; nothing happens when the process has ended. */
  signal(name: NodeJS.Signals): void;
  /** Asks the process to end and waits for it; one that takes too long is killed. */
  terminate(signal: NodeJS.Signals, limitMs?: number): Promise<ProcessEnd>;
}

/**
 * Starts a process of a test's own.
 *
 * @param options.isGroup whether signals go to the process and all that it starts, as Ctrl-C does in a terminal
 */
export function startProcess(
  command: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string; readonly isGroup?: boolean } = {},
): ManagedProcess {
  const { isGroup = false, ...place } = options;
  const child = spawn(command, args, { ...place, detached: isGroup, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const watchers = new Set<(line: string) => void>();
  const onLine = (line: string): void => {
    lines.push(line);
    for (const watcher of watchers) watcher(line);
  };
  readLines(child.stdout, onLine);
  readLines(child.stderr, onLine);
  // Nobody has to wait for it to be able to end: see the reaper below.
  child.unref();

  const exited = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', (error) => {
      onLine(String(error));
      resolve({ code: 127, signal: null });
    });
  });
  const outputEnded = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  const { pid } = child;
  // A negative number is a group.
  const target = isGroup && pid !== undefined ? -pid : pid;
  if (target !== undefined) {
    updateReaper('process', target);
    child.once('exit', () => updateReaper('process', target, false));
  }
  const kill = (signal: NodeJS.Signals): void => {
    try {
      if (target !== undefined) process.kill(target, signal);
    } catch (error) {
      // It has ended meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  const running = (): boolean => pid !== undefined && child.exitCode === null && child.signalCode === null;

  return {
    pid: pid ?? -1,
    lines,
    exited,
    closed: outputEnded.then(() => exited),
    get running() {
      return running();
    },
    waitForLine(accepts, limitMs = 30_000) {
      const seen = lines.find(accepts);
      if (seen !== undefined) return Promise.resolve(seen);
      return new Promise((resolve, reject) => {
        const settle = (): void => {
          clearTimeout(timer);
          watchers.delete(watcher);
        };
        const fail = (what: string): void => {
          settle();
          reject(new Error(`${command} ${args.join(' ')}: ${what}\n${lines.slice(-50).join('\n')}`));
        };
        const watcher = (line: string): void => {
          if (!accepts(line)) return;
          settle();
          resolve(line);
        };
        const timer = setTimeout(() => fail(`the expected line did not come within ${limitMs} ms`), limitMs);
        watchers.add(watcher);
        void outputEnded
          .then(() => exited)
          .then(({ code, signal }) => fail(`ended (${signal ?? code}) before the expected line`));
      });
    },
    signal(name) {
      if (running()) kill(name);
    },
    async terminate(signal, limitMs = 20_000) {
      if (running()) {
        kill(signal);
        const timer = setTimeout(() => kill('SIGKILL'), limitMs);
        await exited;
        clearTimeout(timer);
      }
      return exited;
    },
  };
}

/** The exit code as a shell gives it: a signal counts as 128 + its number. */
export function toExitCode({ code, signal }: ProcessEnd): number {
  return code ?? 128 + (signal ? constants.signals[signal] : 0);
}

/** A new folder that is removed, with everything in it, at the end of the test run at the latest. */
export function createTemporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'messagebox-test-'));
  updateReaper('folder', path);
  return {
    path,
    remove() {
      rmSync(path, { recursive: true, force: true, maxRetries: 5 });
      updateReaper('folder', path, false);
    },
  };
}

function readLines(stream: Readable & { unref?: () => void }, onLine: (line: string) => void): void {
  stream.unref?.();
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  stream.on('end', () => {
    if (rest) onLine(rest);
  });
}

/*
 * A test process can end in ways that run no handler of its own (and Jest gives suites a copy of `process` on which
 * 'exit' never fires). So a small process is told what there is, and removes what is left when this one has ended.
 */
let reaper: ChildProcess | undefined;
const reaperEntries = new Set<number | string>();

function updateReaper(kind: 'process' | 'folder', what: number | string, exists = true): void {
  if (!reaper) {
    // A group of its own, which Ctrl-C does not reach.
    reaper = spawn(process.execPath, [join(import.meta.dirname, '..', 'reaper.mjs')], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    reaper.unref();
    (reaper.stdin as unknown as { unref(): void }).unref();
  }
  reaper.stdin?.write(`${JSON.stringify([kind, what, exists])}\n`);
  if (exists) reaperEntries.add(what);
  else reaperEntries.delete(what);
  if (reaperEntries.size > 0) return;
  reaper.stdin?.end();
  reaper = undefined;
}
