import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How slowly a client may take an answer. */
export interface DownloadPace {
  /** An answer that is taken at this pace or faster is never too slow, however large it is. Bytes in a second. */
  readonly minBytesPerSecond: number;
  /** What a client may fall behind that pace, and how long it may take nothing. Milliseconds. */
  readonly graceMs: number;
}

/** 16 KB in a second, and 30 s of grace. */
export const DOWNLOAD_PACE: DownloadPace = { minBytesPerSecond: 16_384, graceMs: 30_000 };

/**
 * The operating system takes bytes in steps: on a fast line to a proxy, which reads no faster than its slow client, a third of
 * a send buffer of some megabytes. The time that a step of up to so many bytes stands for is no stalling.
 */
const MAX_STEP_BYTES = 2_097_152;

interface Answer {
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** Bytes that had left this process when it was last looked at. */
  seen: number;
  /** Undefined while nothing waits to be taken. */
  lookedAt: number | undefined;
  /** Milliseconds for which the client may still take nothing. */
  credit: number;
}

/**
 * Finds clients that take their answers too slowly. Time uses up a client's credit, bytes fill it up again, never above the
 * grace or, where it is more, the time for the bytes that left at once: who reads at the pace goes on for ever, who stalls is
 * found once that is over. Time in which there is nothing
 * to take costs nothing, so a long poll may wait.
 */
export class DownloadWatch {
  readonly #answers = new Set<Answer>();
  #looking: NodeJS.Timeout | undefined;

  /**
   * @param options.onTooSlow is called once for an answer, which isn't watched any more
   * @param options.everyMs how often to look
   * @param options.now milliseconds of a clock that never goes back
   */
  constructor(
    private readonly options: {
      readonly pace: DownloadPace;
      readonly onTooSlow: (response: ServerResponse) => void;
      readonly everyMs: number;
      readonly now: () => number;
    },
  ) {}

  /** To be called when a request has arrived. */
  watch({ socket }: IncomingMessage, response: ServerResponse): void {
    const answer: Answer = {
      response,
      socket,
      seen: bytesThatLeft(socket),
      lookedAt: undefined,
      credit: this.options.pace.graceMs,
    };
    this.#answers.add(answer);
    response.once('close', () => this.#answers.delete(answer));
    if (this.#looking !== undefined) return;
    this.#looking = setInterval(() => this.#look(), this.options.everyMs);
    this.#looking.unref();
  }

  #look(): void {
    let now: number | undefined;
    for (const answer of this.#answers) {
      if (answer.socket.writableLength === 0) {
        answer.lookedAt = undefined;
        continue;
      }
      now ??= this.options.now();
      if (!isTooSlow(answer, now, this.options.pace)) continue;
      this.#answers.delete(answer);
      this.options.onTooSlow(answer.response);
    }
    if (this.#answers.size > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }
}

function isTooSlow(answer: Answer, now: number, pace: DownloadPace): boolean {
  const left = bytesThatLeft(answer.socket);
  const taken = left - answer.seen;
  const elapsed = now - (answer.lookedAt ?? now);
  answer.seen = left;
  answer.lookedAt = now;
  const earned = (Math.min(taken, MAX_STEP_BYTES) / pace.minBytesPerSecond) * 1_000;
  const rest = answer.credit - elapsed;
  // Looking again takes nothing away of what an earlier step has earned.
  answer.credit = Math.max(rest, Math.min(rest + earned, Math.max(pace.graceMs, earned)));
  return answer.credit < 0;
}

/**
 * Bytes of a connection that the operating system has taken. `bytesWritten` counts what was handed over in one piece as
 * written at once, so this asks the connection's handle; tests fail if a new version of Node has it no more.
 */
function bytesThatLeft(socket: Socket): number {
  const { _handle: handle } = socket as unknown as {
    _handle?: { bytesWritten: number; writeQueueSize: number } | null;
  };
  return handle ? handle.bytesWritten - handle.writeQueueSize : 0;
}
