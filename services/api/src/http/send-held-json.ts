import type { Response } from 'express';
import type { ResponseReservation } from './response-memory.js';

/**
 * Sends a value as JSON, and counts its bytes as held until the client has received them.
 *
 * @throws {TooManyRequestsError} when there is no room
 */
export function sendHeldJson(response: Response, reservation: ResponseReservation, value: object): void {
  const body = Buffer.from(JSON.stringify(value));
  reservation.reserve(body.length);
  if (response.destroyed) return; // cut off, or the client is gone
  response.type('json').end(body);
}
