import type { HeaderQuery, MessageHeader } from '@messagebox/store';
import { RowScan } from '../src/recovery/row-scan.js';
import { SeenRows } from '../src/recovery/seen-rows.js';

const toHeader = (id: number): MessageHeader => ({
  id,
  recipient: 'r',
  messageBox: 'b',
  messageId: `${id}`,
  sender: 's',
  bodyBytes: 1,
});

describe('RowScan', () => {
  const rows: number[] = [];
  const queries: HeaderQuery[] = [];
  const taken: number[] = [];
  let clock = 0;
  const createScan = (engine: 'mysql' | 'sqlite' = 'mysql') => {
    const store = {
      engine,
      findNewestId: async () => Math.max(0, ...rows),
      listHeaders: async (query: HeaderQuery) => {
        queries.push(query);
        const { after, upTo = Number.POSITIVE_INFINITY, limit } = query;
        const found = rows.filter((id) => id > after && id <= upTo).sort((a, b) => a - b);
        return found.slice(0, limit).map(toHeader);
      },
    };
    return new RowScan({ store, tick: () => 0, lateAfterMs: [10_000], now: () => clock });
  };
  const take = ({ id }: MessageHeader) => taken.push(id) > 0;
  beforeEach(() => {
    for (const list of [rows, queries, taken]) list.length = 0;
  });

  it('reads each new row once, page by page, and none that it has skipped', async () => {
    rows.push(1, 2);
    const scan = createScan();
    expect(scan.hasBegun).toBe(false);
    await scan.skip();
    expect(scan.hasBegun).toBe(true);
    for (let id = 3; id <= 2_002; id++) rows.push(id);
    await scan.readNew(take);
    await scan.readNew(take);
    expect(taken).toEqual(rows.slice(2));
    expect(queries.map(({ after }) => after)).toEqual([2, 1_002, 2_002, 2_002]);
  });

  it('stops at a row for which there is no room, and reads it again', async () => {
    const scan = createScan();
    await scan.skip();
    rows.push(1, 2, 3);
    await scan.readNew((header) => header.id < 2 && take(header));
    await scan.readNew(take);
    expect(taken).toEqual([1, 2, 3]);
  });

  it('does not count the time in which the database did not answer', async () => {
    const scan = createScan();
    await scan.skip();
    rows.push(2);
    await scan.readNew(take);
    clock += 60_000; // no answer
    await scan.readNew(take);
    rows.push(1);
    await scan.readLate(take, false);
    for (let i = 0; i < 9; i++) {
      clock += 1_000;
      await scan.readNew(take);
      await scan.readLate(take, false);
    }
    expect(taken).toEqual([2, 1]);
  });

  it('takes no late row that was delivered live', async () => {
    const scan = createScan();
    await scan.skip();
    rows.push(3);
    await scan.readNew(take);
    rows.push(1, 2);
    scan.markSeen(1);
    await scan.readLate(take, true);
    expect(taken).toEqual([3, 2]);
  });

  it('reads no row twice on SQLite, where none is committed late', async () => {
    const scan = createScan('sqlite');
    await scan.skip();
    rows.push(1);
    await scan.readNew(take);
    queries.length = 0;
    clock += 100_000;
    await scan.readLate(take, true);
    expect(queries).toEqual([]);
  });
});

describe('SeenRows', () => {
  it('knows what was added, in order or late, and takes what is forgotten for seen', () => {
    const seen = new SeenRows();
    for (const id of [5, 7, 9, 6]) seen.add(id);
    expect([4, 5, 6, 7, 8, 9].filter((id) => seen.has(id))).toEqual([5, 6, 7, 9]);
    seen.forget(6);
    expect([4, 5, 6, 7, 8, 9].filter((id) => seen.has(id))).toEqual([4, 5, 6, 7, 9]);
    expect(seen.size).toBe(2);
  });

  it('forgets the lower half above its limit', () => {
    const seen = new SeenRows(4);
    for (const id of [2, 4, 6, 8, 10]) seen.add(id);
    expect(seen.size).toBe(2);
    expect([1, 3, 5, 6, 7, 8, 9, 10].filter((id) => seen.has(id))).toEqual([1, 3, 5, 6, 8, 10]);
  });
});
