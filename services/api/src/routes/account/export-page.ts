import type { AccountBatch, AccountReader, Device } from '@messagebox/store';
import { EXPORT_PARTS, type ExportPart, type ExportPosition } from './export-cursor.js';

/** What an export reads from. */
export interface ExportSource {
  readonly identityKey: string;
  readonly reader: AccountReader;
  readonly listDevices: () => Promise<readonly Device[]>;
}

/** A page of an export. */
export interface ExportPage {
  /** JSON texts, one for each line. */
  readonly lines: readonly string[];
  /** Where the next page begins; undefined after the last one. */
  readonly next: ExportPosition | undefined;
}

/**
 * Reads a page of at most `maxBytes` of JSON, or a single entry that is larger. Each read is bounded, so that no more than a page
 * is in memory.
 */
export async function readExportPage(
  source: ExportSource,
  start: ExportPosition,
  maxBytes: number,
): Promise<ExportPage> {
  const lines: string[] = [];
  let free = maxBytes;
  for (let at: ExportPosition | undefined = start; at !== undefined; ) {
    const position: ExportPosition = at;
    // JSON of a body may be longer than the body. A quarter leaves room for most, and what does not fit comes next time.
    const batch: AccountBatch<unknown> = await readBatch(source, position, Math.max(1, Math.floor(free / 4)));
    const texts = batch.items.map((item) => JSON.stringify(item));
    const size = texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0);
    if (lines.length > 0 && size > free) return { lines, next: position };
    lines.push(...texts);
    free -= size;
    at = batch.next === undefined ? toNextPart(position.part) : { part: position.part, after: batch.next };
    if (free <= maxBytes / 8 && at !== undefined) return { lines, next: at };
  }
  return { lines, next: undefined };
}

function toNextPart(part: ExportPart): ExportPosition | undefined {
  const next = EXPORT_PARTS[EXPORT_PARTS.indexOf(part) + 1];
  return next && { part: next, after: '' };
}

async function readBatch(
  { identityKey, reader, listDevices }: ExportSource,
  { part, after }: ExportPosition,
  maxBytes: number,
): Promise<AccountBatch<unknown>> {
  switch (part) {
    case 'account':
      return { items: [{ type: 'account', identityKey, exportedAt: new Date() }], next: undefined };
    case 'messages':
      return addType('message', await reader.readMessages(after, maxBytes));
    case 'permissions': {
      const { items, next } = await reader.readPermissions(after);
      return addType('permission', { items: items.map(({ id, ...rest }) => rest), next });
    }
    case 'devices': {
      const items = (await listDevices()).map(({ id, identityKey: owner, ...device }) => device);
      return addType('device', { items, next: undefined });
    }
    case 'payments':
      return addType('payment', await reader.readPayments(after));
  }
}

function addType(type: string, { items, next }: AccountBatch<object>): AccountBatch<unknown> {
  return { items: items.map((item) => ({ type, ...item })), next };
}
