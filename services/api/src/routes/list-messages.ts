import { type ListParts, list } from '@messagebox/shared';
import type { Request, RequestHandler } from 'express';
import type { AnswerMemory } from '../http/answer-memory.js';
import { callerOf } from '../http/caller.js';
import { takeJsonBody } from '../http/json-body.js';

export interface ListMessagesRouteParts extends Omit<ListParts, 'reserve' | 'runPiece'> {
  readonly answers: AnswerMemory;
  /** Runs a piece of a request's work when it is its caller's turn. */
  readonly runPiece: <T>(request: Request, work: () => T) => Promise<T>;
}

/** Characters of messages that are turned into bytes without a pause. */
const PIECE_CHARACTERS = 524_288;

/** `POST /listMessages`. What it answers is accounted to the caller until it is taken. */
export function listMessagesRoute({ store, maxBytes, answers, runPiece }: ListMessagesRouteParts): RequestHandler {
  return async (request, response) => {
    const caller = callerOf(request);
    const held = answers.open(caller, response);
    const inTurn = <T>(work: () => T) => runPiece(request, work);
    const parts = { store, maxBytes, reserve: held.hold, runPiece: inTurn };
    const { messages, ...rest } = await list(parts, caller, takeJsonBody(request));
    const pieces: Buffer[] = [];
    for (let next = 0; next < messages.length; ) {
      await inTurn(() => {
        const texts: string[] = [];
        for (let size = 0; size < PIECE_CHARACTERS && next < messages.length; next++) {
          const text = messages[next] as string;
          texts.push(next === 0 ? text : `,${text}`);
          size += text.length;
        }
        pieces.push(Buffer.from(texts.join('')));
      });
    }
    const body = Buffer.concat([
      Buffer.from('{"messages":['),
      ...pieces,
      Buffer.from(`],${JSON.stringify(rest).slice(1)}`),
    ]);
    held.hold(body.length);
    if (response.destroyed) return; // cut off meanwhile, or gone
    response.type('json').end(body);
  };
}
