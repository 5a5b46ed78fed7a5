import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { documentedErrors } from '@messagebox/test-support/documented-errors';
import type { Answer } from '@messagebox/test-support/raw-client';
import { type TestServer, watchProcess } from '../../bad-input/server.js';

const ERROR = 50;
/** What a run may leave in memory: caches have limits, but they fill. */
const MAX_HEAP_GROWTH_BYTES = 96 * 1024 * 1024;

/** Watches a server under random inputs. */
export class Judge {
  readonly #watched = watchProcess();
  readonly #heapBefore = measureHeap();
  #errors: string[] = [];

  constructor(private readonly server: TestServer) {}

  /** The answer is a success or a documented refusal. @returns the code of a refusal */
  judgeAnswer({ status, text }: Answer): string | undefined {
    if (status === 200) return undefined;
    const { code = '', ...rest } = JSON.parse(text) as { code?: string; status?: string };
    expect({ code, status, said: rest.status ?? 'error' }).toEqual({ code, status, said: 'error' });
    expect(code).not.toBe('ERR_INTERNAL');
    expect(documentedErrors.get(code) ?? `${code} is not documented`).toContain(status);
    return code;
  }

  /** A code of a live refusal. */
  judgeCode(code: unknown): void {
    expect(code).not.toBe('ERR_INTERNAL');
    expect(documentedErrors.has(String(code)) ? 'documented' : code).toBe('documented');
  }

  /** After each case. Keeps no lines, because a long run writes millions. */
  readLog(): void {
    // The array belongs to this test's own server, which only appends.
    const lines = this.server.log as string[];
    this.#errors.push(...lines.splice(0).filter((line) => (JSON.parse(line) as { level: number }).level >= ERROR));
    expect(this.#errors).toEqual([]);
  }

  /** At the end: nothing that would have ended the process, and no memory that is never given back. */
  finish(): void {
    this.#watched.stop();
    expect(this.#watched.trouble).toEqual([]);
    this.readLog();
    expect(measureHeap() - this.#heapBefore).toBeLessThan(MAX_HEAP_GROWTH_BYTES);
  }
}

/** Bytes that are reachable. */
function measureHeap(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}
