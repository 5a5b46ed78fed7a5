import {
  type ParseSendOptions,
  parseSend,
  type SendCommand,
  type SendMessagesOptions,
  type SendMessagesResponse,
  sendMessages,
} from '@messagebox/messages';
import type { HttpRequestPayment } from '@messagebox/payments';
import { type AdvertisedHosts, formatAdvertisedHostHeader } from '@messagebox/shared';
import type { Request, RequestHandler } from 'express';
import { consumeJsonBody } from '../http/consume-json-body.js';
import { getCallerKey } from '../http/get-caller-key.js';
import { type OpenRequestPayment, setPaidHeader } from '../http/request-payment.js';

/** The options of {@link sendMessageRoute}. */
export interface SendMessageRouteOptions extends SendMessagesOptions, ParseSendOptions {
  readonly advertisedHosts: AdvertisedHosts;
  /** Runs a piece of a request's work when it is its caller's turn; `alsoMs` of work elsewhere belong to it. */
  readonly runInTurn: <T>(request: Request, work: () => T, alsoMs?: number) => Promise<T>;
  /** Undefined: sends have no price. */
  readonly openPayment?: OpenRequestPayment | undefined;
}

/** The cost of storing the message of one more recipient. Milliseconds. */
const STORE_COST_MS_PER_RECIPIENT = 0.1;

/**
 * `POST /sendMessage`. When a recipient is advertised at another host, the response names it in
 * `x-messagebox-advertised-host`. The message is stored here in any case.
 */
export function sendMessageRoute(options: SendMessageRouteOptions): RequestHandler {
  return async (request, response) => {
    const payment = await options.openPayment?.(request);
    const answer = await parseAndSend(options, request, payment);
    setPaidHeader(response, payment);
    const recipients = answer.results.map(({ recipient }) => recipient);
    const elsewhere = await options.advertisedHosts.findOtherHosts(recipients, request.headers.host);
    const header = formatAdvertisedHostHeader(recipients, elsewhere);
    if (header !== undefined) {
      response.setHeader('x-messagebox-advertised-host', header);
      // BRC-104 signs headers with the prefix x-bsv- only, and AuthFetch shows only signed headers.
      response.setHeader('x-bsv-messagebox-advertised-host', header);
    }
    response.json(answer);
  };
}

async function parseAndSend(
  options: SendMessageRouteOptions,
  request: Request,
  payment: HttpRequestPayment | undefined,
): Promise<SendMessagesResponse> {
  const command = parse(options, request);
  const others = command.messages.length - 1;
  // A little request can make the database write much, so who sends many of these waits more.
  if (others > 0) await options.runInTurn(request, () => undefined, others * STORE_COST_MS_PER_RECIPIENT);
  return await sendMessages(options, command, payment);
}

/** A function of its own, so that the parsed JSON is not kept in memory while the route waits. */
function parse(options: SendMessageRouteOptions, request: Request): SendCommand {
  return parseSend(options, getCallerKey(request), consumeJsonBody(request));
}
