import { type ListParts, list } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import type { AnswerMemory } from '../http/answer-memory.js';
import { callerOf } from '../http/caller.js';
import { takeJsonBody } from '../http/json-body.js';

export interface ListMessagesRouteParts extends Omit<ListParts, 'reserve'> {
  readonly answers: AnswerMemory;
}

/** `POST /listMessages`. What it answers is accounted to the caller until it is taken. */
export function listMessagesRoute({ store, maxBytes, answers }: ListMessagesRouteParts): RequestHandler {
  return async (request, response) => {
    const caller = callerOf(request);
    const held = answers.open(caller, response);
    const parts = { store, maxBytes, reserve: held.hold };
    const body = JSON.stringify(await list(parts, caller, takeJsonBody(request)));
    held.hold(Buffer.byteLength(body));
    if (response.destroyed) return; // cut off meanwhile, or gone
    response.type('json').send(body);
  };
}
