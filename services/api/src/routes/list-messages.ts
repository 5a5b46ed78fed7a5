import {
  type BoxStatusOptions,
  countMessages,
  type EncodedMessage,
  isCountOnly,
  type ListMessagesOptions,
  listMessages,
  type ReceivedPrice,
} from '@messagebox/messages';
import { KeyedLock } from '@messagebox/shared';
import type { Request, RequestHandler, Response } from 'express';
import { consumeJsonBody } from '../http/consume-json-body.js';
import { getCallerKey } from '../http/get-caller-key.js';
import { type OpenRequestPayment, setPaidHeader } from '../http/request-payment.js';
import type { ResponseMemory } from '../http/response-memory.js';

export interface ListMessagesRouteOptions
  extends Omit<ListMessagesOptions, 'admit' | 'reserve' | 'waitToRead' | 'runChunk'>,
    BoxStatusOptions {
  readonly responseMemory: ResponseMemory;
  /** Runs a piece of a request's work when it is its caller's turn; `alsoMs` of work elsewhere belong to it. */
  readonly runInTurn: <T>(request: Request, work: () => T, alsoMs?: number) => Promise<T>;
  /** Satoshis for each response; 0: lists have no price. */
  readonly price?: number;
  /** Undefined: lists have no price. */
  readonly openPayment?: OpenRequestPayment | undefined;
}

/** The cost of reading one byte of a large body from the database. Milliseconds. */
const READ_COST_MS_PER_BYTE = 3 / 1_048_576;
/** The number of bytes that are copied without a pause. */
const CHUNK_BYTES = 524_288;

/**
 * `POST /listMessages`. The response counts against the caller's memory until the client has received it. Responses with
 * large bodies are put together one after the other for each identity, so that many at once need no more memory than one.
 * Where lists have a price, it is due when the request is valid, and used up when the response is ready.
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
  const largeLists = new KeyedLock();
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
    let reservedBytes = 0;
    /** Before anything large is read, so that a list for which there is no room costs nearly nothing. */
    const reserve = (bytes: number) => {
      if (bytes <= reservedBytes) return;
      reservation.reserve(bytes);
      reservedBytes = bytes;
    };
    let unlock: (() => void) | undefined;
    let received: ReceivedPrice | undefined;
    const listOptions: ListMessagesOptions = {
      store,
      uploads,
      maxBytes,
      admit: async () => {
        received = await payment?.receive(price);
      },
      reserve,
      waitToRead: async (bytes) => {
        reserve(bytes);
        unlock ??= await largeLists.acquire(caller);
        if (response.destroyed) throw new ClientGoneError();
        await runInTurn(request, () => undefined, bytes * READ_COST_MS_PER_BYTE);
      },
      runChunk: (work) => runInTurn(request, work),
    };
    try {
      const { messages, ...rest } = await listMessages(listOptions, caller, query);
      const pieces = joinMessages(messages, rest);
      reservation.reserve(countBytes(pieces));
      if (response.destroyed) return; // cut off, or the client is gone
      await received?.useForReading();
      setPaidHeader(response, payment);
      response.type('json');
      await writeInTurn(response, pieces, (work) => runInTurn(request, work));
    } catch (error) {
      if (!(error instanceof ClientGoneError)) throw error;
    } finally {
      unlock?.();
    }
  };
}

/** The client has closed the connection, so nobody waits for the response. */
class ClientGoneError extends Error {}

function joinMessages(messages: readonly EncodedMessage[], rest: object): Buffer[] {
  const comma = Buffer.from(',');
  return [
    Buffer.from('{"messages":['),
    ...messages.flatMap(({ pieces }, i) => (i === 0 ? pieces : [comma, ...pieces])),
    Buffer.from(`],${JSON.stringify(rest).slice(1)}`),
  ];
}

const countBytes = (pieces: readonly Buffer[]) => pieces.reduce((sum, piece) => sum + piece.length, 0);

/** Writes the response, also when the caller has too much waiting work: a response that was begun must have an end. */
async function writeInTurn(
  response: Response,
  pieces: readonly Buffer[],
  runInTurn: (work: () => void) => Promise<void>,
): Promise<void> {
  for (let next = 0; next < pieces.length; ) {
    const chunk: Buffer[] = [];
    for (let size = 0; size < CHUNK_BYTES && next < pieces.length; next++) {
      const piece = pieces[next] as Buffer;
      chunk.push(piece);
      size += piece.length;
    }
    const write = () => void response.write(Buffer.concat(chunk));
    await runInTurn(write).catch(write);
  }
  response.end();
}
