import {
  type BoxStatusOptions,
  countMessages,
  isCountOnly,
  type ListMessagesOptions,
  listMessages,
  type ReceivedPrice,
} from '@messagebox/messages';
import type { Request, RequestHandler } from 'express';
import { consumeJsonBody } from '../http/consume-json-body.js';
import { getCallerKey } from '../http/get-caller-key.js';
import { type OpenRequestPayment, setPaidHeader } from '../http/request-payment.js';
import type { ResponseMemory } from '../http/response-memory.js';

export interface ListMessagesRouteOptions
  extends Omit<ListMessagesOptions, 'admit' | 'reserve' | 'runChunk'>,
    BoxStatusOptions {
  readonly responseMemory: ResponseMemory;
  /** Runs a piece of a request's work when it is its caller's turn. */
  readonly runInTurn: <T>(request: Request, work: () => T) => Promise<T>;
  /** Satoshis for each response; 0: lists have no price. */
  readonly price?: number;
  /** Undefined: lists have no price. */
  readonly openPayment?: OpenRequestPayment | undefined;
}

/** The number of characters that are encoded without a pause. */
const CHUNK_CHARACTERS = 524_288;

/**
 * `POST /listMessages`. The response counts against the caller's memory until the client has received it. Where lists have a
 * price, it is due when the request is valid, and used up when the response is ready.
 */
export function listMessagesRoute({
  store,
  boxes,
  uploads,
  maxBytes,
  responseMemory,
  runInTurn,
  price = 0,
  openPayment,
}: ListMessagesRouteOptions): RequestHandler {
  return async (request, response) => {
    const caller = getCallerKey(request);
    // What is paid for is this request, so its body is hashed before it is consumed.
    const payment = price === 0 ? undefined : await openPayment?.(request);
    const query = consumeJsonBody(request);
    if (isCountOnly(query)) {
      response.json(await countMessages({ boxes }, caller, query));
      return;
    }
    const reservation = responseMemory.open(caller, response);
    const inTurn = <T>(work: () => T) => runInTurn(request, work);
    let received: ReceivedPrice | undefined;
    const admit = async () => {
      received = await payment?.receive(price);
    };
    const listOptions: ListMessagesOptions = {
      store,
      uploads,
      maxBytes,
      admit,
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
    await received?.useForReading();
    setPaidHeader(response, payment);
    response.type('json').end(body);
  };
}
