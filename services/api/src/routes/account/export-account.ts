import { getField } from '@messagebox/messages';
import { AccountReader, type DeviceRegistrations, type SqlClient } from '@messagebox/store';
import type { RequestHandler } from 'express';
import { consumeOptionalJsonBody } from '../../http/consume-json-body.js';
import { getCallerKey } from '../../http/get-caller-key.js';
import type { ResponseMemory } from '../../http/response-memory.js';
import type { WorkSlots } from '../../http/work-slots.js';
import { formatExportCursor, parseExportCursor } from './export-cursor.js';
import { readExportPage } from './export-page.js';

export interface ExportAccountOptions {
  readonly sql: SqlClient;
  readonly devices: DeviceRegistrations;
  readonly responseMemory: ResponseMemory;
  readonly slots: WorkSlots;
  /** The most bytes of one answer. */
  readonly maxBytes: number;
}

/** A client must verify an answer within 30 s; a browser needs about 1.6 s for a megabyte. */
const MAX_PAGE_BYTES = 4_194_304;

/**
 * `POST /account/export {after?}`: everything that this server keeps of the caller, as lines of JSON (NDJSON).
 *
 * The signature of a response is in its headers (BRC-104), so a response can't leave before it is complete. Therefore an export
 * is a sequence of responses: the last line of each is `{"type": "end", "next"}`, and `next` is the `after` of the following
 * request, or null after the last one. Memory and slow clients are limited as for lists, and an export that was interrupted goes
 * on from its last cursor.
 */
export function exportAccountRoute(options: ExportAccountOptions): RequestHandler {
  const { sql, devices, responseMemory, slots } = options;
  const maxBytes = Math.min(options.maxBytes, MAX_PAGE_BYTES);
  return async (request, response) => {
    const identityKey = getCallerKey(request);
    const start = parseExportCursor(getField(consumeOptionalJsonBody(request), 'after'));
    const reservation = responseMemory.open(identityKey, response);
    reservation.reserve(maxBytes);
    const source = {
      identityKey,
      reader: new AccountReader(sql, identityKey),
      listDevices: () => devices.list(identityKey),
    };
    const { lines, next } = await slots.run(identityKey, () => readExportPage(source, start, maxBytes));
    const end = JSON.stringify({ type: 'end', next: next === undefined ? null : formatExportCursor(next) });
    const body = Buffer.from(`${[...lines, end].join('\n')}\n`);
    reservation.reserve(body.length);
    if (response.destroyed) return; // cut off, or the client is gone
    response.type('application/x-ndjson').end(body);
  };
}
