import { createHash } from 'node:crypto';
import type { HttpRequestPayment, PricePayments } from '@messagebox/payments';
import type { Request, Response } from 'express';
import { getCallerKey } from './get-caller-key.js';

/** Opens the payment that comes with a request, in the request's turn, before the body is consumed. */
export type OpenRequestPayment = (request: Request) => Promise<HttpRequestPayment>;

/** Creates what opens the payments of requests behind authentication. */
export function createOpenRequestPayment(
  payments: Pick<PricePayments, 'open'>,
  runInTurn: <T>(request: Request, work: () => T) => Promise<T>,
): OpenRequestPayment {
  return async (request) => {
    const sender = getCallerKey(request);
    const body = request.auth?.rawBody ?? Buffer.alloc(0);
    const header = request.headers['x-bsv-payment'];
    return payments.open({
      sender,
      digest: await runInTurn(request, () => digestRequest(sender, request, body)),
      bytes: body.length,
      header: Array.isArray(header) ? header.join() : header,
    });
  };
}

/** Requests with the same digest are the same: a payment for one of them pays for its repetitions. */
function digestRequest(sender: string, { method, originalUrl }: Request, body: Uint8Array): Buffer {
  return createHash('sha256')
    .update(`${JSON.stringify([sender, method, originalUrl])}\n`)
    .update(body)
    .digest();
}

/** Tells the client what its request has paid (BRC-105). */
export function setPaidHeader(response: Response, payment: HttpRequestPayment | undefined): void {
  if (payment?.satoshisPaid === undefined) return;
  response.setHeader('x-bsv-payment-satoshis-paid', String(payment.satoshisPaid));
}
