import {
  type BoxStatusOptions,
  countMessages,
  isCountOnly,
  type ListMessagesOptions,
  listMessages,
} from '@messagebox/messages';
import type { Request, RequestHandler } from 'express';
import { consumeJsonBody } from '../http/consume-json-body.js';
import { getCallerKey } from '../http/get-caller-key.js';
import type { ResponseMemory } from '../http/response-memory.js';

export interface ListMessagesRouteOptions extends Omit<ListMessagesOptions, 'reserve' | 'runChunk'>, BoxStatusOptions {
  readonly responseMemory: ResponseMemory;
  /** Runs a piece of a request's work when it is its caller's turn. */
  readonly runInTurn: <T>(request: Request, work: () => T) => Promise<T>;
}

/** The number of characters that are encoded without a pause. */
const CHUNK_CHARACTERS = 524_288;

/** `POST /listMessages`. The response counts against the caller's memory until the client has received it. */
export function listMessagesRoute({
  store,
  boxes,
  uploads,
  maxBytes,
  responseMemory,
  runInTurn,
}: ListMessagesRouteOptions): RequestHandler {
  return async (request, response) => {
    const caller = getCallerKey(request);
    const query = consumeJsonBody(request);
    if (isCountOnly(query)) {
      response.json(await countMessages({ boxes }, caller, query));
      return;
    }
    const reservation = responseMemory.open(caller, response);
    const inTurn = <T>(work: () => T) => runInTurn(request, work);
    const listOptions: ListMessagesOptions = {
      store,
      uploads,
      maxBytes,
      reserve: reservation.reserve,
      runChunk: inTurn,
    };
    const { messages, ...rest } = await listMessages(listOptions, caller, query);
    const pieces: Buffer[] = [];
    for (let next = 0; next < messages.length; ) {
      await inTurn(() => {
        const texts: string[] = [];
        for (let size = 0; size < CHUNK_CHARACTERS && next < messages.length; next++) {
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
    reservation.reserve(body.length);
    if (response.destroyed) return; // cut off, or the client is gone
    response.type('json').end(body);
  };
}
